import { type BtfErrno, BtfError } from '../error.ts';
import { KIND } from '../wire.ts';
import type { CheckEnv } from './env.ts';
import { checkMember, isRegularInt } from './members.ts';
import { hasNoSize, isModifierKind, isSourceOnly, isStructKind, needsResolve, type RawType } from './raw.ts';

const MAX_RESOLVE_DEPTH = 32;
const U32_MAX = 0xffffffff;

interface Vertex {
  readonly id: number;
  readonly type: RawType;
  nextMember: number;
}

type Mode = 'undecided' | 'pointer' | 'struct or array';

/** How a step ended that cannot go on: too many types on the way, or one that is already on it. */
type Overrun = 'E2BIG' | 'EEXIST';

/**
 * A depth-first walk from each type over what it refers to, which finds loops, missing types and wrong sizes. How far it
 * follows depends on where it began: a pointer inside a struct ends the walk, behind a pointer a struct does.
 * Source: "Pass #2" of kernel/bpf/btf.c, btf_resolve.
 */
export class Resolver {
  readonly env: CheckEnv;
  /** 0: not seen, 1: on the way, 2: done. */
  readonly #state: Uint8Array;
  readonly #stack: Vertex[] = [];
  #mode: Mode = 'undecided';

  constructor(env: CheckEnv) {
    this.env = env;
    this.#state = new Uint8Array(env.count);
    env.resolvedIds = new Uint32Array(env.count);
    env.resolvedSizes = new Uint32Array(env.count);
  }

  isResolved(id: number): boolean {
    return this.#state[id] === 2;
  }

  /** The walk need not go into this type. Source: env_type_is_resolve_sink. */
  #isSink(type: RawType): boolean {
    const { kind } = type;
    switch (this.#mode) {
      case 'undecided':
        return !needsResolve(kind);
      case 'pointer':
        return !isModifierKind(kind) && kind !== KIND.PTR;
      case 'struct or array':
        return !isModifierKind(kind) && kind !== KIND.ARRAY && !isStructKind(kind);
      default: {
        const never: never = this.#mode;
        return never;
      }
    }
  }

  /** Whether the walk must do this type first. */
  #mustEnter(type: RawType, id: number): boolean {
    return !this.#isSink(type) && !this.isResolved(id);
  }

  /** Source: env_stack_push. */
  #push(type: RawType, id: number): Overrun | undefined {
    if (this.#stack.length === MAX_RESOLVE_DEPTH) return 'E2BIG';
    if (this.#state[id] !== 0) return 'EEXIST';
    this.#state[id] = 1;
    this.#stack.push({ id, type, nextMember: 0 });
    if (this.#mode === 'undecided') {
      if (type.kind === KIND.PTR) this.#mode = 'pointer';
      else if (isStructKind(type.kind) || type.kind === KIND.ARRAY) this.#mode = 'struct or array';
    }
    return undefined;
  }

  #pop(resolvedId: number, size: number): undefined {
    const { id } = this.#stack.pop()!;
    this.env.resolvedIds[id] = resolvedId;
    this.env.resolvedSizes[id] = size;
    this.#state[id] = 2;
    return undefined;
  }

  /** Source: btf_resolve. */
  resolve(type: RawType, id: number): void {
    const { env } = this;
    const saved = env.logTypeId;
    this.#mode = 'undecided';
    this.#push(type, id);
    let overrun: Overrun | undefined;
    for (let top = this.#stack.at(-1); overrun === undefined && top !== undefined; top = this.#stack.at(-1)) {
      env.logTypeId = top.id;
      overrun = this.#step(top);
    }
    env.logTypeId = id;
    if (overrun === 'E2BIG') env.refuseType(type, `Exceeded max resolving depth:${MAX_RESOLVE_DEPTH}`, overrun);
    if (overrun === 'EEXIST') env.refuseType(type, 'Loop detected', overrun);
    if (!this.#isValid(type, id)) env.refuseType(type, 'Invalid resolve state');
    env.logTypeId = saved;
  }

  #step(vertex: Vertex): Overrun | undefined {
    switch (vertex.type.kind) {
      case KIND.PTR:
      case KIND.VAR:
      case KIND.TYPEDEF:
      case KIND.VOLATILE:
      case KIND.CONST:
      case KIND.RESTRICT:
      case KIND.TYPE_TAG:
        return this.#reference(vertex);
      case KIND.ARRAY:
        return this.#array(vertex);
      case KIND.STRUCT:
      case KIND.UNION:
        return this.#struct(vertex);
      case KIND.FUNC:
        checkFunc(this.env, vertex.type);
        return this.#pop(vertex.type.third, 0);
      case KIND.DATASEC:
        return this.#datasec(vertex);
      case KIND.DECL_TAG:
        return this.#declTag(vertex);
      default:
        return this.env.refuseType(vertex.type, 'Unsupported resolve', 'EINVAL', false);
    }
  }

  /** Source: btf_ptr_resolve, btf_modifier_resolve, btf_var_resolve. */
  #reference({ type }: Vertex): Overrun | undefined {
    const { env } = this;
    let nextId = type.third;
    let next = env.type(nextId);
    if (next === undefined || isSourceOnly(next.kind)) return env.refuseType(type, 'Invalid type_id');
    if (this.#mustEnter(next, nextId)) return this.#push(next, nextId);
    if (!isModifierKind(type.kind) && isModifierKind(next.kind)) {
      const resolvedId = env.resolvedIds[nextId]!;
      const resolved = env.type(resolvedId);
      if (resolved?.kind === KIND.PTR && this.#mustEnter(resolved, resolvedId)) return this.#push(resolved, resolvedId);
    }
    const sized = env.sized(nextId);
    if (sized !== undefined) return this.#pop(sized.id, 0);
    if (type.kind === KIND.VAR) return env.refuseType(type, 'Invalid type_id');
    if (this.isResolved(nextId)) {
      nextId = env.resolvedIds[nextId]!;
      next = env.type(nextId);
    }
    if (next?.kind !== KIND.VOID && next?.kind !== KIND.FWD && next?.kind !== KIND.FUNC_PROTO)
      return env.refuseType(type, 'Invalid type_id');
    return this.#pop(nextId, 0);
  }

  /** Source: btf_array_resolve. */
  #array({ type }: Vertex): Overrun | undefined {
    const { env } = this;
    const [elemId, indexId, nelems] = [env.extra(type, 0), env.extra(type, 1), env.extra(type, 2)];
    const index = env.type(indexId);
    if (index === undefined || hasNoSize(index.kind) || isSourceOnly(index.kind)) return env.refuseType(type, 'Invalid index');
    if (this.#mustEnter(index, indexId)) return this.#push(index, indexId);
    const indexType = env.sized(indexId)?.type;
    if (indexType?.kind !== KIND.INT || !isRegularInt(env, indexType)) return env.refuseType(type, 'Invalid index');

    const elem = env.type(elemId);
    if (elem === undefined || hasNoSize(elem.kind) || isSourceOnly(elem.kind)) return env.refuseType(type, 'Invalid elem');
    if (this.#mustEnter(elem, elemId)) return this.#push(elem, elemId);
    const sized = env.sized(elemId);
    if (sized === undefined) return env.refuseType(type, 'Invalid elem');
    if (sized.type.kind === KIND.INT && !isRegularInt(env, sized.type)) return env.refuseType(type, 'Invalid array of int');
    if (sized.size * nelems > U32_MAX) return env.refuseType(type, 'Array size overflows U32_MAX');
    return this.#pop(sized.id, sized.size * nelems);
  }

  /** Source: btf_struct_resolve. */
  #struct(vertex: Vertex): Overrun | undefined {
    const { env } = this;
    const { type } = vertex;
    if (vertex.nextMember > 0) checkMember(env, type, env.member(type, vertex.nextMember - 1));
    for (let i = vertex.nextMember; i < type.vlen; i++) {
      const member = env.member(type, i);
      const memberType = env.type(member.type);
      if (memberType === undefined || hasNoSize(memberType.kind) || isSourceOnly(memberType.kind))
        return env.refuseMember(type, member, 'Invalid member');
      if (this.#mustEnter(memberType, member.type)) {
        vertex.nextMember = i + 1;
        return this.#push(memberType, member.type);
      }
      checkMember(env, type, member);
    }
    return this.#pop(0, 0);
  }

  /** Source: btf_datasec_resolve. */
  #datasec(vertex: Vertex): Overrun | undefined {
    const { env } = this;
    const { type } = vertex;
    this.#mode = 'undecided';
    for (let i = vertex.nextMember; i < type.vlen; i++) {
      const entry = env.sectionVar(type, i);
      const variable = env.type(entry.type);
      if (variable?.kind !== KIND.VAR) return env.refuseSectionVar(type, entry, 'Not a VAR kind member');
      if (this.#mustEnter(variable, entry.type)) {
        vertex.nextMember = i + 1;
        return this.#push(variable, entry.type);
      }
      const sized = env.sized(variable.third);
      if (sized === undefined) return env.refuseSectionVar(type, entry, 'Invalid type');
      if (entry.size < sized.size) return env.refuseSectionVar(type, entry, 'Invalid size');
    }
    return this.#pop(0, 0);
  }

  /** Source: btf_decl_tag_resolve. */
  #declTag({ type }: Vertex): Overrun | undefined {
    const { env } = this;
    const target = env.type(type.third);
    const kind = target?.kind;
    if (target === undefined || !(kind === KIND.FUNC || isStructKind(target.kind) || kind === KIND.VAR || kind === KIND.TYPEDEF))
      return env.refuseType(type, 'Invalid type_id');
    if (this.#mustEnter(target, type.third)) return this.#push(target, type.third);
    const component = env.extra(type, 0) | 0;
    if (component !== -1) {
      const parts = isStructKind(target.kind) ? target.vlen : target.kind === KIND.FUNC ? env.type(target.third)!.vlen : 0;
      if (component >>> 0 >= parts) return env.refuseType(type, 'Invalid component_idx');
    }
    return this.#pop(type.third, 0);
  }

  /** Source: btf_resolve_valid. */
  #isValid(type: RawType, id: number): boolean {
    const { env } = this;
    if (!this.isResolved(id)) return false;
    const [resolvedId, size] = [env.resolvedIds[id]!, env.resolvedSizes[id]!];
    const { kind } = type;
    if (isStructKind(kind) || kind === KIND.DATASEC) return resolvedId === 0 && size === 0;
    if (kind === KIND.DECL_TAG || kind === KIND.FUNC) return resolvedId !== 0 && size === 0;
    if (isModifierKind(kind) || kind === KIND.PTR || kind === KIND.VAR) {
      const target = env.type(resolvedId);
      return target !== undefined && !isModifierKind(target.kind) && target.kind !== KIND.VAR && target.kind !== KIND.DATASEC;
    }
    if (kind !== KIND.ARRAY) return false;
    const elem = env.sized(env.extra(type, 0));
    return elem !== undefined && !isModifierKind(elem.type.kind) && env.extra(type, 2) * elem.size === size;
  }
}

/** A function names its parameters and has a prototype. Source: btf_func_check. */
const checkFunc = (env: CheckEnv, type: RawType): void => {
  const proto = env.type(type.third);
  if (proto?.kind !== KIND.FUNC_PROTO) return env.refuseType(type, 'Invalid type_id');
  for (let i = 0; i < proto.vlen; i++) {
    if (env.extra(proto, i * 2) === 0 && env.extra(proto, i * 2 + 1) !== 0) env.refuseType(type, `Invalid arg#${i + 1}`);
  }
  return undefined;
};

/** A prototype's return value and parameters have sizes. Source: btf_func_proto_check. */
const checkFuncProto = (env: CheckEnv, resolver: Resolver, type: RawType): void => {
  const require = (id: number, message: string): void => {
    const part = env.type(id);
    if (part === undefined || isSourceOnly(part.kind)) return env.refuseType(type, message);
    if (needsResolve(part.kind) && !resolver.isResolved(id)) resolver.resolve(part, id);
    if (env.sized(id) === undefined) env.refuseType(type, message);
    return undefined;
  };
  if (type.third !== 0) require(type.third, 'Invalid return type');
  let count = type.vlen;
  if (count > 0 && env.extra(type, count * 2 - 1) === 0) {
    if (env.extra(type, count * 2 - 2) !== 0) env.refuseType(type, `Invalid arg#${count}`);
    count--;
  }
  for (let i = 0; i < count; i++) {
    const message = `Invalid arg#${i + 1}`;
    const [nameOff, id] = [env.extra(type, i * 2), env.extra(type, i * 2 + 1)];
    const part = env.type(id);
    if (part === undefined || isSourceOnly(part.kind)) env.refuseType(type, message);
    if (nameOff !== 0 && (!env.isNameOffset(nameOff) || !env.isIdentifier(nameOff))) env.refuseType(type, message);
    require(id, message);
  }
};

/** Follows what every type refers to. Source: btf_check_all_types, kernel/bpf/btf.c. */
export const checkAllTypes = (env: CheckEnv): void => {
  const resolver = new Resolver(env);
  env.resolving = true;
  for (let id = 1; id < env.count; id++) {
    const type = env.type(id)!;
    env.logTypeId = id;
    if (needsResolve(type.kind) && !resolver.isResolved(id)) resolver.resolve(type, id);
    if (type.kind === KIND.FUNC_PROTO) checkFuncProto(env, resolver, type);
  }
};

/** Refuses with a log line of no type. */
const refuseChain = (env: CheckEnv, message: string, errno: BtfErrno): never => env.refuse(message, errno);

/**
 * Type tags stand before all other modifiers, and no chain of modifiers is longer than 32.
 * Source: btf_check_type_tags, kernel/bpf/btf.c.
 */
export const checkTypeTags = (env: CheckEnv): void => {
  let goodId = 0;
  for (let id = 1; id < env.count; id++) {
    let type = env.type(id)!;
    if (!isModifierKind(type.kind)) continue;
    let inTags = type.kind === KIND.TYPE_TAG;
    let current = id;
    for (let left = 32; isModifierKind(type.kind); left--) {
      if (left === 0) refuseChain(env, 'Max chain length or cycle detected', 'ELOOP');
      if (type.kind === KIND.TYPE_TAG) {
        if (!inTags) refuseChain(env, "Type tags don't precede modifiers", 'EINVAL');
      } else {
        inTags = false;
      }
      if (current <= goodId) break;
      current = type.third;
      const next = env.type(current);
      if (next === undefined) throw new BtfError('Invalid type_id', { typeId: id });
      type = next;
    }
    goodId = id;
  }
};
