import type { Btf } from '../../btf/btf.ts';
import { ITER_STRUCT_PREFIX, SPECIAL_STRUCTS } from '../../btf/special.ts';
import { type BtfType, isScalar, type Param, type PtrType } from '../../btf/types.ts';
import { KFUNC_FLAGS, type Kfunc, type KfuncFlag, type KfuncRole } from '../../contracts/kfunc.ts';
import type { Env, KfuncDesc } from '../env.ts';
import { isContextType } from './context_arg.ts';

/**
 * What the declaration of a kfunc says, worked out once: the types of its parameters, and what the suffixes of their names mean.
 * Source: is_kfunc_arg_* and get_kfunc_ptr_arg_type, kernel/bpf/verifier.c.
 */

/** What a pointer parameter is by its declaration, whatever the register holds. */
export type DeclaredKind =
  | 'ctx'
  | 'alloc'
  | 'refcounted-kptr'
  | 'dynptr'
  | 'iter'
  | 'list-head'
  | 'list-node'
  | 'rb-root'
  | 'rb-node'
  | 'const-str'
  | 'map'
  | 'workqueue'
  | 'task-work'
  | 'irq-flag'
  | 'res-spin-lock';

/** The struct of an iterator parameter. */
export interface IterStruct {
  readonly btfId: number;
  readonly slots: number;
}

export interface KfuncParam {
  readonly name: string;
  /** without modifiers */
  readonly type: BtfType;
  /** what a pointer points to, without modifiers; void for others */
  readonly pointee: BtfType;
  readonly isScalar: boolean;
  /** __ign: anything may be passed */
  readonly ignored: boolean;
  /** __prog: the kernel passes something of its own */
  readonly isProg: boolean;
  /** __k: the value must be known */
  readonly isConstant: boolean;
  /** scalar that is the size of the result: rdonly_buf_size, rdwr_buf_size */
  readonly resultSize: 'read-only' | 'writable' | null;
  /** __sz, __szk: bytes of the memory in the parameter before it; the latter must be known */
  readonly memSize: 'variable' | 'constant' | null;
  /** __opt: NULL where the size says how much there would be */
  readonly optional: boolean;
  /** __nullable */
  readonly nullable: boolean;
  /** __uninit */
  readonly uninit: boolean;
  readonly declared: DeclaredKind | null;
  readonly iter: IterStruct | null;
  /** a function is expected */
  readonly isCallback: boolean;
}

/** How the kfunc takes an iterator argument. */
export type IterRole = 'new' | 'next' | 'destroy' | 'use';

export interface KfuncShape {
  readonly desc: KfuncDesc;
  readonly entry: Kfunc;
  /** sum of KFUNC_FLAGS */
  readonly flags: number;
  readonly params: readonly KfuncParam[];
  readonly iterRole: IterRole;
  /** result without modifiers, and what it points to */
  readonly result: BtfType;
  readonly resultPointee: BtfType;
}

const POINTEE_KINDS: Readonly<Record<string, DeclaredKind>> = {
  BPF_LIST_HEAD: 'list-head',
  BPF_LIST_NODE: 'list-node',
  BPF_RB_ROOT: 'rb-root',
  BPF_RB_NODE: 'rb-node',
  BPF_WORKQUEUE: 'workqueue',
  BPF_TASK_WORK: 'task-work',
  BPF_RES_SPIN_LOCK: 'res-spin-lock',
};

const kindsByStruct = new WeakMap<Btf, ReadonlyMap<number, DeclaredKind>>();

/** Special structs of the kernel by type id (kf_arg_btf_ids). */
function structKinds(btf: Btf): ReadonlyMap<number, DeclaredKind> {
  const known = kindsByStruct.get(btf);
  if (known) return known;
  const kinds = new Map<number, DeclaredKind>();
  for (const [name, { field }] of SPECIAL_STRUCTS) {
    const kind = field === undefined ? 'dynptr' : POINTEE_KINDS[field];
    const struct = kind && btf.findByName(name, 'STRUCT');
    if (kind && struct) kinds.set(struct.id, kind);
  }
  kindsByStruct.set(btf, kinds);
  return kinds;
}

/** The struct with this id is a node of lists or trees. */
export function nodeKind(btf: Btf, type: BtfType): 'list-node' | 'rb-node' | null {
  const kind = structKinds(btf).get(type.id);
  return kind === 'list-node' || kind === 'rb-node' ? kind : null;
}

/** The name ends in the suffix and has something before it (btf_param_match_suffix). */
const hasSuffix = (name: string, suffix: string): boolean => name.length > suffix.length && name.endsWith(suffix);

const FLAG_ROLES: readonly (readonly [KfuncFlag, IterRole])[] = [
  ['KF_ITER_NEW', 'new'],
  ['KF_ITER_NEXT', 'next'],
  ['KF_ITER_DESTROY', 'destroy'],
];

const iterRoleOf = (entry: Kfunc): IterRole => FLAG_ROLES.find(([flag]) => entry.flags.includes(flag))?.[1] ?? 'use';

/** The kind of a pointer parameter; the first rule that holds decides. */
function declaredKind(env: Env, btf: Btf, type: PtrType, pointee: BtfType, name: string, isIter: boolean): DeclaredKind | null {
  if (isContextType(env, btf, type)) return 'ctx';
  if (hasSuffix(name, '__alloc')) return 'alloc';
  if (hasSuffix(name, '__refcounted_kptr')) return 'refcounted-kptr';
  const struct = structKinds(btf).get(pointee.id);
  if (struct === 'dynptr') return struct;
  if (isIter) return 'iter';
  if (struct !== undefined && struct !== 'workqueue' && struct !== 'task-work' && struct !== 'res-spin-lock') return struct;
  if (hasSuffix(name, '__str')) return 'const-str';
  if (hasSuffix(name, '__map')) return 'map';
  if (struct === 'workqueue' || struct === 'task-work') return struct;
  return hasSuffix(name, '__irq_flag') ? 'irq-flag' : (struct ?? null);
}

/** The iterator's struct, null where the parameter is no pointer to one (btf_check_iter_arg). */
const iterStruct = (pointee: BtfType): IterStruct | null =>
  pointee.kind === 'STRUCT' && pointee.name.startsWith(ITER_STRUCT_PREFIX)
    ? { btfId: pointee.id, slots: Math.floor(pointee.size / 8) }
    : null;

const RESULT_SIZES: Readonly<Record<string, 'read-only' | 'writable'>> = {
  rdonly_buf_size: 'read-only',
  rdwr_buf_size: 'writable',
};

function memSizeOf(name: string): KfuncParam['memSize'] {
  if (hasSuffix(name, '__sz')) return 'variable';
  return hasSuffix(name, '__szk') ? 'constant' : null;
}

function paramShape(env: Env, btf: Btf, param: Param, index: number, entry: Kfunc, iterRole: IterRole): KfuncParam {
  const { name } = param;
  const type = btf.skipModifiers(param.type);
  const isPointer = type.kind === 'PTR';
  const pointee = btf.skipModifiers(isPointer ? type.type : 0);
  const isIter = iterRole === 'use' ? hasSuffix(name, '__iter') : index === 0;
  const castsContext = entry.roles?.includes('cast_to_kern_ctx') ?? false;
  const kind = isPointer ? declaredKind(env, btf, type, pointee, name, isIter) : null;
  const scalar = isScalar(type);
  return {
    name,
    type,
    pointee,
    isScalar: scalar,
    ignored: hasSuffix(name, '__ign'),
    isProg: hasSuffix(name, '__prog'),
    isConstant: hasSuffix(name, '__k'),
    resultSize: RESULT_SIZES[name] ?? null,
    memSize: scalar ? memSizeOf(name) : null,
    optional: hasSuffix(name, '__opt'),
    nullable: hasSuffix(name, '__nullable'),
    uninit: hasSuffix(name, '__uninit'),
    declared: isPointer && castsContext ? 'ctx' : kind,
    iter: isIter ? iterStruct(pointee) : null,
    isCallback: isPointer && pointee.kind === 'FUNC_PROTO',
  };
}

function shapeOf(env: Env, desc: KfuncDesc, entry: Kfunc): KfuncShape {
  const { btf } = env.profile;
  const iterRole = iterRoleOf(entry);
  const result = btf.skipModifiers(desc.proto.ret);
  return {
    desc,
    entry,
    flags: entry.flags.reduce((flags, flag) => flags | KFUNC_FLAGS[flag], 0),
    params: desc.proto.params.map((param, index) => paramShape(env, btf, param, index, entry, iterRole)),
    iterRole,
    result,
    resultPointee: btf.skipModifiers(result.kind === 'PTR' ? result.type : 0),
  };
}

const shapes = new WeakMap<KfuncDesc, KfuncShape | null>();

/** The kfunc as this program may call it; null when it may not (btf_kfunc_id_set_contains). */
export function kfuncShape(env: Env, desc: KfuncDesc): KfuncShape | null {
  let shape = shapes.get(desc);
  if (shape === undefined) {
    const { entry } = desc;
    shape = entry && env.profile.kfuncAllowed(entry, env.subject) ? shapeOf(env, desc, entry) : null;
    shapes.set(desc, shape);
  }
  return shape;
}

export const hasRole = ({ entry }: KfuncShape, role: KfuncRole): boolean => entry.roles?.includes(role) ?? false;

export const hasFlag = ({ flags }: KfuncShape, flag: KfuncFlag): boolean => (flags & KFUNC_FLAGS[flag]) !== 0;
