import { Btf } from './btf.ts';
import { btfFromC } from './c_parser.ts';
import { BtfError } from './error.ts';
import type { BtfSource } from './source.ts';
import { BTF_KINDS, type BtfKind, type BtfType, type BtfTypeOf } from './types.ts';

/** Types that exist decoded only. */
class DecodedSource implements BtfSource {
  readonly count: number;
  readonly strLen = 0;
  readonly declTags = [];
  readonly #types: readonly BtfType[];

  constructor(types: readonly BtfType[]) {
    this.#types = types;
    this.count = types.length;
  }

  locate(index: number): never {
    throw new BtfError('type of an overlay has no bytes', { typeId: index });
  }

  text(): undefined {
    return undefined;
  }

  named(): readonly number[] {
    return [];
  }

  kindOf(index: number): number {
    return BTF_KINDS.indexOf(this.#types[index]!.kind);
  }
}

/** A BTF whose own types come first when a name is looked up; ids of the base stay what they are. */
class OverlaidBtf extends Btf {
  readonly #own: readonly BtfType[];

  constructor(base: Btf, own: readonly BtfType[]) {
    super(new DecodedSource(own), base);
    this.#own = own;
  }

  override type(id: number): BtfType {
    const own = this.#own[id - this.startId];
    if (own !== undefined) return own;
    return this.base!.type(id);
  }

  override findByName<K extends BtfKind>(name: string, kind: K): BtfTypeOf<K> | undefined {
    const own = this.#own.find((type) => type.kind === kind && type.name === name);
    return (own as BtfTypeOf<K> | undefined) ?? this.base!.findByName(name, kind);
  }

  override findEssential(essential: string): BtfType[] {
    const own = this.#own.filter((type) => type.name === essential);
    return own.length > 0 ? own : this.base!.findEssential(essential);
  }
}

/** Kinds that a declaration may leave to the kernel: what has the same name there is meant. */
const SHARED_KINDS: readonly BtfKind[] = ['INT', 'TYPEDEF', 'ENUM', 'FLOAT'];

function kernelId(base: Btf, type: BtfType): number | undefined {
  if (type.kind === 'FWD') return base.findByName(type.name, type.of === 'struct' ? 'STRUCT' : 'UNION')?.id;
  if (!SHARED_KINDS.includes(type.kind) || type.name === '') return undefined;
  const known = base.findByName(type.name, type.kind);
  return known?.kind === 'INT' && type.kind === 'INT' && known.size !== type.size ? undefined : known?.id;
}

/**
 * The BTF of a kernel in which some C declarations hold: structs and functions that are new, or that stand in for those of the
 * same name. A struct that is only named, and the basic types, are the kernel's own.
 */
export function overlaidBtf(base: Btf, declarations: string): Btf {
  const { btf } = btfFromC(declarations);
  const types = [...btf.types()];
  const ids = new Map<number, number>([[0, 0]]);
  const kept: BtfType[] = [];
  for (const type of types) {
    const known = kernelId(base, type);
    ids.set(type.id, known ?? base.count + kept.length);
    if (known === undefined) kept.push(type);
  }
  const id = (old: number): number => ids.get(old) ?? 0;
  return new OverlaidBtf(
    base,
    kept.map((type) => moved(type, id)),
  );
}

function moved(type: BtfType, id: (old: number) => number): BtfType {
  const own = { ...type, id: id(type.id) } as BtfType;
  switch (own.kind) {
    case 'STRUCT':
    case 'UNION':
      return { ...own, members: own.members.map((member) => ({ ...member, type: id(member.type) })) };
    case 'ARRAY':
      return { ...own, elem: id(own.elem), index: id(own.index) };
    case 'FUNC_PROTO':
      return { ...own, ret: id(own.ret), params: own.params.map((param) => ({ ...param, type: id(param.type) })) };
    case 'DATASEC':
      return { ...own, vars: own.vars.map((variable) => ({ ...variable, type: id(variable.type) })) };
    case 'PTR':
    case 'TYPEDEF':
    case 'VOLATILE':
    case 'CONST':
    case 'RESTRICT':
    case 'TYPE_TAG':
    case 'FUNC':
    case 'VAR':
    case 'DECL_TAG':
      return { ...own, type: id(own.type) };
    case 'VOID':
    case 'INT':
    case 'ENUM':
    case 'ENUM64':
    case 'FWD':
    case 'FLOAT':
      return own;
    default:
      return own satisfies never;
  }
}
