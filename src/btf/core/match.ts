import type { Btf } from '../btf.ts';
import { BtfError } from '../error.ts';
import { essentialName } from '../names.ts';
import { isAnyEnum, isStruct } from '../types.ts';
import type { Budget } from './budget.ts';
import { fieldsAreCompatible, typesAreCompatible, typesMatch } from './compat.ts';
import { type Accessor, type CoreSpec, isEnumKind, isTypeKind, SPEC_MAX_LEN } from './relo.ts';
import { isFlexArray, sizeOrFail } from './spec.ts';

/** Builds the way through one candidate type that a local way describes. */
class Matcher {
  readonly local: CoreSpec;
  readonly spec: CoreSpec;
  readonly #budget: Budget;

  constructor(local: CoreSpec, target: Btf, rootTypeId: number, budget: Budget) {
    this.local = local;
    this.#budget = budget;
    this.spec = { btf: target, rootTypeId, kind: local.kind, path: [], raw: [], bitOffset: 0 };
  }

  #pushRaw(index: number): void {
    if (this.spec.raw.length === SPEC_MAX_LEN) throw new BtfError('nested too deeply', { errno: 'E2BIG' });
    this.spec.raw.push(index);
  }

  #addBits(bits: number): void {
    this.spec.bitOffset = (this.spec.bitOffset + bits) >>> 0;
  }

  /**
   * Looks for a member of this name, also in anonymous structs and unions inside; gives its type, or undefined where there is
   * none or where it is of an incompatible type (then the way keeps what it took on, as libbpf's does).
   * Source: bpf_core_match_member.
   */
  member(accessor: Accessor, targetId: number): number | undefined {
    const { spec } = this;
    const type = spec.btf.skipModifiers(targetId);
    if (!isStruct(type)) return undefined;
    const holder = this.local.btf.type(accessor.typeId);
    const wanted = isStruct(holder) ? holder.members[accessor.index]! : undefined;
    if (wanted === undefined) throw new BtfError('no such member', { typeId: accessor.typeId });
    for (const [index, member] of type.members.entries()) {
      this.#budget.spend(targetId);
      this.#pushRaw(index);
      this.#addBits(member.bitOffset);
      if (member.name === '') {
        const found = this.member(accessor, member.type);
        if (found !== undefined) return found;
      } else if (member.name === wanted.name) {
        if (!fieldsAreCompatible(this.local.btf, wanted.type, spec.btf, member.type)) return undefined;
        spec.path.push({ typeId: type.id, index, name: member.name });
        return member.type;
      }
      this.#addBits(-member.bitOffset);
      spec.raw.pop();
    }
    return undefined;
  }

  /** The type of an array element, or undefined where the type is no array or too short. */
  element(accessor: Accessor, targetId: number, first: boolean): number | undefined {
    const { btf, path } = this.spec;
    let type = btf.skipModifiers(targetId);
    if (!first) {
      if (type.kind !== 'ARRAY') return undefined;
      if (accessor.index >= type.nelems && !isFlexArray(btf, path.at(-1), type)) return undefined;
      type = btf.skipModifiers(type.elem);
    }
    this.#pushRaw(accessor.index);
    path.push({ typeId: type.id, index: accessor.index, name: undefined });
    this.#addBits(Math.imul(accessor.index * 8, sizeOrFail(btf, type.id)));
    return type.id;
  }

  enumerator(targetId: number): boolean {
    const { spec } = this;
    const type = spec.btf.skipModifiers(targetId);
    if (!isAnyEnum(type)) return false;
    const wanted = essentialName(this.local.path[0]!.name!);
    const index = type.values.findIndex(({ name }) => essentialName(name) === wanted);
    if (index === -1) return false;
    spec.path.push({ typeId: type.id, index, name: type.values[index]!.name });
    spec.raw.push(index);
    return true;
  }

  field(): boolean {
    let targetId = this.spec.rootTypeId;
    for (const [i, accessor] of this.local.path.entries()) {
      const next = accessor.name === undefined ? this.element(accessor, targetId, i === 0) : this.member(accessor, targetId);
      if (next === undefined) return false;
      targetId = next;
    }
    return true;
  }
}

/**
 * The way through a candidate type that corresponds to the local one; undefined where it does not match.
 * Source: bpf_core_spec_match, tools/lib/bpf/relo_core.c.
 */
export const matchSpec = (local: CoreSpec, target: Btf, targetId: number, budget: Budget): CoreSpec | undefined => {
  budget.spend(targetId);
  const matcher = new Matcher(local, target, targetId, budget);
  let matched: boolean;
  if (local.kind === 'TYPE_MATCHES') matched = typesMatch(local.btf, local.rootTypeId, target, targetId, budget);
  else if (isTypeKind(local.kind)) matched = typesAreCompatible(local.btf, local.rootTypeId, target, targetId, budget);
  else if (isEnumKind(local.kind)) matched = matcher.enumerator(targetId);
  else matched = matcher.field();
  return matched ? matcher.spec : undefined;
};
