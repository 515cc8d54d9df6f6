import type { Btf } from '../btf.ts';
import { BtfError } from '../error.ts';
import { essentialName } from '../names.ts';
import { BTF_INT_SIGNED, type BtfType, type Enum64Type, type EnumType, isAnyEnum, isStruct, type StructType } from '../types.ts';
import { Budget } from './budget.ts';

/** Source: the depths of __bpf_core_types_are_compat and __bpf_core_types_match. */
const MAX_DEPTH = 32;
const MAX_LEVEL = 32;

/** Comparisons of types in one question. */
const MAX_STEPS = 1_000_000;

const tooDeep = (typeId: number): BtfError => new BtfError('types nested too deeply', { typeId });

/** Same kind, or both some enum. Source: btf_kind_core_compat. */
export const kindsAreCompatible = (a: BtfType, b: BtfType): boolean => a.kind === b.kind || (isAnyEnum(a) && isAnyEnum(b));

/** Source: bpf_core_names_match. */
const namesMatch = (local: string, target: string): boolean =>
  target === '' ? local === '' : essentialName(local) === essentialName(target);

class Comparison {
  readonly local: Btf;
  readonly target: Btf;
  readonly #budget: Budget;

  constructor(local: Btf, target: Btf, budget: Budget) {
    this.local = local;
    this.target = target;
    this.#budget = budget;
  }

  /** Source: __bpf_core_types_are_compat, tools/lib/bpf/relo_core.c. */
  compatible(localId: number, targetId: number, level: number): boolean {
    if (!kindsAreCompatible(this.local.type(localId), this.target.type(targetId))) return false;
    let [l, t] = [localId, targetId];
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      this.#budget.spend(localId);
      const local = this.local.skipModifiers(l);
      const target = this.target.skipModifiers(t);
      if (!kindsAreCompatible(local, target)) return false;
      if (local.kind === 'INT' && target.kind === 'INT') return local.offset === 0 && target.offset === 0;
      if (local.kind === 'PTR' && target.kind === 'PTR') {
        [l, t] = [local.type, target.type];
      } else if (local.kind === 'ARRAY' && target.kind === 'ARRAY') {
        [l, t] = [local.elem, target.elem];
      } else if (local.kind === 'FUNC_PROTO' && target.kind === 'FUNC_PROTO') {
        if (local.params.length !== target.params.length) return false;
        for (const [i, param] of local.params.entries()) {
          if (level <= 0) throw tooDeep(localId);
          const a = this.local.skipModifiers(param.type).id;
          const b = this.target.skipModifiers(target.params[i]!.type).id;
          if (!this.compatible(a, b, level - 1)) return false;
        }
        [l, t] = [local.ret, target.ret];
      } else {
        return local.kind === 'VOID' || local.kind === 'FWD' || isStruct(local) || isAnyEnum(local);
      }
    }
    throw tooDeep(localId);
  }

  /** Source: __bpf_core_types_match, tools/lib/bpf/relo_core.c. */
  match(localId: number, targetId: number, behindPointer: boolean, level: number): boolean {
    if (level <= 0) throw tooDeep(localId);
    let [l, t, behind] = [localId, targetId, behindPointer];
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      this.#budget.spend(localId);
      const local = this.local.skipModifiers(l);
      const target = this.target.skipModifiers(t);
      if (!namesMatch(local.name, target.name)) return false;
      switch (local.kind) {
        case 'VOID':
          return target.kind === 'VOID';
        case 'FWD':
          if (target.kind === 'FWD') return local.of === target.of;
          return behind && target.kind.toLowerCase() === local.of;
        case 'ENUM':
        case 'ENUM64':
          return isAnyEnum(target) && enumsMatch(local, target);
        case 'STRUCT':
        case 'UNION':
          if (behind) return local.kind === target.kind || (target.kind === 'FWD' && local.kind.toLowerCase() === target.of);
          return isStruct(target) && local.kind === target.kind && this.membersMatch(local, target, level);
        case 'INT':
          return (
            target.kind === 'INT' && local.size === target.size && ((local.encoding ^ target.encoding) & BTF_INT_SIGNED) === 0
          );
        case 'PTR':
          if (target.kind !== 'PTR') return false;
          behind = true;
          [l, t] = [local.type, target.type];
          break;
        case 'ARRAY':
          if (target.kind !== 'ARRAY' || local.nelems !== target.nelems) return false;
          [l, t] = [local.elem, target.elem];
          break;
        case 'FUNC_PROTO':
          if (target.kind !== 'FUNC_PROTO' || local.params.length !== target.params.length) return false;
          for (const [i, param] of local.params.entries()) {
            if (!this.match(param.type, target.params[i]!.type, behind, level - 1)) return false;
          }
          [l, t] = [local.ret, target.ret];
          break;
        default:
          return false;
      }
    }
    throw tooDeep(localId);
  }

  /** Every local member has one of the same name in the target that matches. Source: bpf_core_composites_match. */
  membersMatch(local: StructType, target: StructType, level: number): boolean {
    if (local.members.length > target.members.length) return false;
    return local.members.every((member) =>
      target.members.some(
        (other) => namesMatch(member.name, other.name) && this.match(member.type, other.type, false, level - 1),
      ),
    );
  }
}

/** Same size, and every local enumerator exists in the target by name. Source: bpf_core_enums_match. */
const enumsMatch = (local: EnumType | Enum64Type, target: EnumType | Enum64Type): boolean => {
  if (local.size !== target.size || local.values.length > target.values.length) return false;
  const names = new Set(target.values.map(({ name }) => essentialName(name)));
  return local.values.every(({ name }) => names.has(essentialName(name)));
};

/** Whether two types can stand for each other in TYPE_EXISTS and kin, and for externs. Source: bpf_core_types_are_compat. */
export const typesAreCompatible = (
  local: Btf,
  localId: number,
  target: Btf,
  targetId: number,
  budget = new Budget(MAX_STEPS),
): boolean => new Comparison(local, target, budget).compatible(localId, targetId, MAX_LEVEL);

/** Whether the target type has all that the local one has (TYPE_MATCHES). Source: bpf_core_types_match. */
export const typesMatch = (local: Btf, localId: number, target: Btf, targetId: number, budget = new Budget(MAX_STEPS)): boolean =>
  new Comparison(local, target, budget).match(localId, targetId, false, MAX_LEVEL);

/** Whether a field of one type can be read where the other is expected. Source: bpf_core_fields_are_compat. */
export const fieldsAreCompatible = (local: Btf, localId: number, target: Btf, targetId: number): boolean => {
  let [l, t] = [localId, targetId];
  for (let depth = 0; depth < 1000; depth++) {
    const a = local.skipModifiers(l);
    const b = target.skipModifiers(t);
    if (isStruct(a) && isStruct(b)) return true;
    if (!kindsAreCompatible(a, b)) return false;
    switch (a.kind) {
      case 'PTR':
      case 'FLOAT':
        return true;
      case 'FWD':
      case 'ENUM':
      case 'ENUM64':
        return a.name === '' || b.name === '' || essentialName(a.name) === essentialName(b.name);
      case 'INT':
        return a.offset === 0 && b.kind === 'INT' && b.offset === 0;
      case 'ARRAY':
        if (b.kind !== 'ARRAY') return false;
        [l, t] = [a.elem, b.elem];
        break;
      default:
        return false;
    }
  }
  throw tooDeep(localId);
};
