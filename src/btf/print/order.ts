import type { Btf } from '../btf.ts';
import { BtfError } from '../error.ts';
import type { BtfType } from '../types.ts';

/** Recursion beyond what real types need: the graph is hostile. */
export const DEPTH_LIMIT = 1000;

/** The type ids that a type mentions. */
export const mentioned = (type: BtfType): readonly number[] => {
  switch (type.kind) {
    case 'PTR':
    case 'TYPEDEF':
    case 'VOLATILE':
    case 'CONST':
    case 'RESTRICT':
    case 'TYPE_TAG':
    case 'FUNC':
    case 'VAR':
    case 'DECL_TAG':
      return [type.type];
    case 'ARRAY':
      return [type.elem, type.index];
    case 'STRUCT':
    case 'UNION':
      return type.members.map((member) => member.type);
    case 'FUNC_PROTO':
      return [type.ret, ...type.params.map((param) => param.type)];
    case 'DATASEC':
      return type.vars.map((entry) => entry.type);
    case 'VOID':
    case 'INT':
    case 'ENUM':
    case 'ENUM64':
    case 'FWD':
    case 'FLOAT':
      return [];
    default: {
      const never: never = type;
      return never;
    }
  }
};

/**
 * The order in which C wants definitions. A type that is embedded comes before what embeds it; one that is only pointed to may
 * come later if it has a name, for then it can be declared forward. An anonymous type is written out where it stands, so what
 * it embeds is needed there even behind a pointer. Source: btf_dump_order_type, tools/lib/bpf/btf_dump.c.
 */
export class DefinitionOrder {
  readonly btf: Btf;
  readonly #state = new Map<number, 'open' | 'done'>();
  readonly #isReferenced: (id: number) => boolean;
  #queue: number[] = [];

  /** `isReferenced` tells whether any type mentions an id: an anonymous enum that none does is a definition of its own. */
  constructor(btf: Btf, isReferenced: (id: number) => boolean) {
    this.btf = btf;
    this.#isReferenced = isReferenced;
  }

  /** The definitions that a type needs and that were not given before, ending with its own. */
  of(id: number): number[] {
    this.#queue = [];
    this.#visit(id, false, 0);
    return this.#queue;
  }

  /** Whether the type must be defined before what refers to it. */
  #visit(id: number, throughPointer: boolean, depth: number): boolean {
    const state = this.#state.get(id);
    if (state === 'done' || id === 0) return true;
    if (depth > DEPTH_LIMIT) throw new BtfError('types nested too deeply', { typeId: id });
    const type = this.btf.type(id);
    if (state === 'open') {
      if ((type.kind === 'STRUCT' || type.kind === 'UNION') && throughPointer && type.name !== '') return false;
      throw new BtfError('unsatisfiable type cycle', { typeId: id });
    }
    const into = (next: number, pointer: boolean): boolean => this.#visit(next, pointer, depth + 1);
    switch (type.kind) {
      case 'PTR': {
        const strong = into(type.type, true);
        this.#state.set(id, 'done');
        return strong;
      }
      case 'ARRAY':
        return into(type.elem, false);
      case 'VOLATILE':
      case 'CONST':
      case 'RESTRICT':
      case 'TYPE_TAG':
        return into(type.type, throughPointer);
      case 'FUNC_PROTO':
        return [type.ret, ...type.params.map((param) => param.type)].map((part) => into(part, throughPointer)).includes(true);
      case 'STRUCT':
      case 'UNION':
        if (throughPointer && type.name !== '') return false;
        this.#state.set(id, 'open');
        for (const member of type.members) into(member.type, false);
        if (type.name !== '') this.#queue.push(id);
        break;
      case 'TYPEDEF':
        if (!into(type.type, throughPointer) && throughPointer) return false;
        this.#queue.push(id);
        break;
      case 'ENUM':
      case 'ENUM64':
      case 'FWD':
        if (type.name !== '' || !this.#isReferenced(id)) this.#queue.push(id);
        break;
      case 'INT':
      case 'FLOAT':
      case 'FUNC':
      case 'VAR':
      case 'DATASEC':
      case 'DECL_TAG':
        this.#state.set(id, 'done');
        return false;
      case 'VOID':
        return true;
      default: {
        const never: never = type;
        return never;
      }
    }
    this.#state.set(id, 'done');
    return true;
  }
}
