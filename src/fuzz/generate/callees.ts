import type { Btf } from '../../btf/btf.ts';
import { isScalar, isStruct, type PtrType } from '../../btf/types.ts';
import type { ArgSpec, Helper, HelperProto } from '../../contracts/helper.ts';
import type { Kfunc, KfuncRole } from '../../contracts/kfunc.ts';
import type { Profile } from '../../contracts/profile.ts';
import { MAP_TYPES } from '../../contracts/uapi_numbers.ts';
import type { SectionFacts } from './kernel.ts';

/** What calls ask for, argument by argument, read off declarations: enough to make arguments that mostly fit. */

export type ThingKind =
  | 'number'
  | 'unknown-number'
  | 'known-number'
  | 'size'
  | 'null'
  | 'ctx'
  | 'map'
  | 'data'
  | 'room'
  | 'key'
  | 'value'
  | 'map-value'
  | 'string'
  | 'struct'
  | 'socket'
  | 'allocated'
  | 'refcounted'
  | 'percpu'
  | 'record'
  | 'dynptr'
  | 'new-dynptr'
  | 'iterator'
  | 'new-iterator'
  | 'irq-flag'
  | 'lock'
  | 'resilient-lock'
  | 'timer'
  | 'work'
  | 'task-work'
  | 'kptr'
  | 'function'
  | 'list'
  | 'tree'
  | 'list-node'
  | 'tree-node'
  | 'held-node'
  | 'struct-id'
  | 'arena'
  | 'register';

export interface Wanted {
  readonly kind: ThingKind;
  /** struct in the kernel's BTF, or name of an iterator */
  readonly struct?: string;
  /** types of maps that fit; absent: any */
  readonly maps?: readonly number[];
  /** bytes, where they are given */
  readonly size?: number;
}

/** A helper or kfunc with what it asks for. */
export interface Callee {
  readonly name: string;
  readonly kfunc: boolean;
  readonly id: number;
  readonly wanted: readonly Wanted[];
  readonly mayBeNull: boolean;
  readonly acquires: boolean;
  readonly sleeps: boolean;
  /** what a pointer that it returns points to; null for a number, nothing, or something else */
  readonly result: string | null;
  readonly roles: readonly KfuncRole[];
  /** how often it is called, relative to others: more often where its arguments have rules of their own */
  readonly weight: number;
}

const number: Wanted = { kind: 'number' };

/** Things that most calls ask for. */
const COMMON: ReadonlySet<ThingKind> = new Set([
  'number',
  'size',
  'ctx',
  'data',
  'struct',
  'map',
  'key',
  'value',
  'socket',
  'known-number',
]);

const weightOf = (wanted: readonly Wanted[]): number => 1 + 2 * wanted.filter(({ kind }) => !COMMON.has(kind)).length;

const POINTEES: Readonly<Record<string, ThingKind>> = {
  bpf_list_head: 'list',
  bpf_list_node: 'list-node',
  bpf_rb_root: 'tree',
  bpf_rb_node: 'tree-node',
  bpf_wq: 'work',
  bpf_task_work: 'task-work',
  bpf_res_spin_lock: 'resilient-lock',
};

const CONTEXTS: ReadonlySet<string> = new Set(['__sk_buff', 'xdp_md', 'bpf_sock_addr_kern', 'bpf_sock_ops_kern', 'bpf_nf_ctx']);
const SOCKETS: ReadonlySet<string> = new Set(['sock', 'sock_common', 'tcp_sock']);

const paramOf = (btf: Btf, entry: Kfunc, name: string, typeId: number, index: number): Wanted => {
  const type = btf.skipModifiers(typeId);
  const ends = (suffix: string): boolean => name.endsWith(suffix);
  const roles = entry.roles ?? [];
  if (isScalar(type)) {
    if (roles.includes('rdonly_cast')) return { kind: 'struct-id' };
    if (roles.includes('obj_new') || roles.includes('percpu_obj_new')) return { kind: 'struct-id', struct: 'local' };
    if (ends('__sz') || ends('__szk')) return { kind: 'size' };
    return ends('__k') ? { kind: 'known-number' } : number;
  }
  if (type.kind !== 'PTR' || ends('__prog') || (ends('__ign') && !ends('_ptr__ign'))) return number;
  const pointee = btf.skipModifiers((type as PtrType).type);
  if (roles.includes('cast_to_kern_ctx') || CONTEXTS.has(pointee.name)) return { kind: 'ctx' };
  if (ends('__alloc')) return { kind: 'allocated' };
  if (ends('__refcounted_kptr')) return { kind: 'refcounted' };
  if (pointee.name === 'bpf_dynptr') return { kind: ends('__uninit') ? 'new-dynptr' : 'dynptr' };
  if (pointee.name.startsWith('bpf_iter_') && (index === 0 || ends('__iter'))) {
    const isNew = entry.flags.includes('KF_ITER_NEW');
    return { kind: isNew ? 'new-iterator' : 'iterator', struct: pointee.name.slice('bpf_iter_'.length) };
  }
  if (ends('__str')) return { kind: 'string' };
  if (ends('__map')) return { kind: 'map' };
  if (ends('__irq_flag')) {
    const saves = roles.includes('local_irq_save') || roles.includes('res_spin_lock_irqsave');
    return { kind: saves ? 'room' : 'irq-flag' };
  }
  if (pointee.name === 'bpf_map') return { kind: 'map' };
  const special = POINTEES[pointee.name];
  if (special === 'tree-node' && !roles.includes('rbtree_add')) return { kind: 'held-node' };
  if (special !== undefined) return { kind: special };
  if (pointee.kind === 'FUNC_PROTO') return { kind: 'function' };
  if (SOCKETS.has(pointee.name)) return { kind: 'socket', struct: pointee.name };
  if (isStruct(pointee) && pointee.name !== '') return { kind: 'struct', struct: pointee.name };
  return { kind: 'data' };
};

const pointeeName = (btf: Btf, typeId: number): string | null => {
  const type = btf.skipModifiers(typeId);
  if (type.kind !== 'PTR') return null;
  const pointee = btf.skipModifiers(type.type);
  return isStruct(pointee) && pointee.name !== '' ? pointee.name : '';
};

const kfuncCallee = (profile: Profile, entry: Kfunc): Callee | null => {
  const { btf } = profile;
  const func = btf.findByName(entry.name, 'FUNC');
  const proto = func === undefined ? undefined : btf.typeOf(func.type, 'FUNC_PROTO');
  if (func === undefined || proto === undefined) return null;
  const roles = entry.roles ?? [];
  const wanted = proto.params.map(({ name, type }, index) => paramOf(btf, entry, name, type, index));
  // memory in the parameter before its size; what is said to be a struct is memory then
  wanted.forEach((one, index) => {
    if (one.kind === 'size' && index > 0 && wanted[index - 1]!.kind === 'struct') wanted[index - 1] = { kind: 'data' };
    if (roles.includes('wq_set_callback') || !wanted.some(({ kind }) => kind === 'work')) return;
    if (index === 1) wanted[index] = { kind: 'map' };
  });
  const isArena = entry.flags.includes('KF_ARENA_ARG2') || entry.flags.includes('KF_ARENA_RET');
  if (isArena) wanted.splice(0, 2, { kind: 'map', maps: [MAP_TYPES.arena] }, { kind: 'arena' });
  return {
    name: entry.name,
    kfunc: true,
    id: func.id,
    wanted,
    mayBeNull: entry.flags.includes('KF_RET_NULL'),
    acquires: entry.flags.includes('KF_ACQUIRE'),
    sleeps: entry.flags.includes('KF_SLEEPABLE'),
    result: pointeeName(btf, proto.ret),
    roles,
    weight: weightOf(wanted),
  };
};

const ARGS: Readonly<Record<string, ThingKind>> = {
  ARG_CONST_MAP_PTR: 'map',
  ARG_PTR_TO_MAP_KEY: 'key',
  ARG_PTR_TO_MAP_VALUE: 'value',
  ARG_PTR_TO_MEM: 'data',
  ARG_PTR_TO_ARENA: 'arena',
  ARG_CONST_SIZE: 'size',
  ARG_CONST_SIZE_OR_ZERO: 'size',
  ARG_PTR_TO_CTX: 'ctx',
  ARG_PTR_TO_SPIN_LOCK: 'lock',
  ARG_PTR_TO_SOCK_COMMON: 'socket',
  ARG_PTR_TO_SOCKET: 'socket',
  ARG_PTR_TO_BTF_ID_SOCK_COMMON: 'socket',
  ARG_PTR_TO_RINGBUF_MEM: 'record',
  ARG_CONST_ALLOC_SIZE_OR_ZERO: 'known-number',
  ARG_PTR_TO_PERCPU_BTF_ID: 'percpu',
  ARG_PTR_TO_FUNC: 'function',
  ARG_PTR_TO_STACK: 'data',
  ARG_PTR_TO_CONST_STR: 'string',
  ARG_PTR_TO_TIMER: 'timer',
  ARG_KPTR_XCHG_DEST: 'kptr',
};

const argOf = (arg: ArgSpec, helper: Helper): Wanted => {
  if (arg.base === 'ARG_PTR_TO_DYNPTR') return { kind: arg.flags?.includes('MEM_UNINIT') ? 'new-dynptr' : 'dynptr' };
  if (arg.base === 'ARG_PTR_TO_BTF_ID')
    return arg.btfType === undefined ? { kind: 'allocated' } : { kind: 'struct', struct: arg.btfType };
  const kind = ARGS[arg.base];
  if (kind === 'map' && helper.maps !== undefined) return { kind, maps: helper.maps.map((name) => MAP_TYPES[name]) };
  return { kind: kind ?? 'number', ...(arg.size === undefined ? {} : { size: arg.size }) };
};

const helperCallee = (helper: Helper, proto: HelperProto): Callee => ({
  name: helper.name,
  kfunc: false,
  id: helper.id,
  wanted: proto.args.map((arg) => argOf(arg, helper)),
  weight: weightOf(proto.args.map((arg) => argOf(arg, helper))),
  mayBeNull: proto.ret.flags?.includes('PTR_MAYBE_NULL') ?? false,
  acquires: helper.effects?.acquires === 'always',
  sleeps: proto.mightSleep ?? false,
  result: proto.ret.base.includes('PTR') ? (proto.ret.btfType ?? '') : null,
  roles: [],
});

/** Everything that programs can be made to call. */
export class Callees {
  readonly kfuncs: readonly Callee[];
  readonly #profile: Profile;
  readonly #bySection = new Map<SectionFacts, readonly Callee[]>();
  readonly #releasers = new Map<string, Callee>();
  readonly #makers = new Map<string, Callee[]>();
  readonly #any: readonly Callee[];

  constructor(profile: Profile) {
    this.#profile = profile;
    this.kfuncs = [...profile.kfuncs.values()].map((entry) => kfuncCallee(profile, entry)).filter((callee) => callee !== null);
    const helpers = profile.helpers.flatMap((helper) => {
      const proto = helper?.protos[0];
      return helper === undefined || proto === undefined ? [] : [helperCallee(helper, proto)];
    });
    this.#any = [...this.kfuncs, ...helpers];
    for (const callee of this.kfuncs) {
      const flags = profile.kfuncs.get(callee.name)!.flags;
      const [first] = callee.wanted;
      if (flags.includes('KF_RELEASE') && first?.struct !== undefined) this.#releasers.set(first.struct, callee);
      const isMaker = callee.acquires && callee.result !== null && callee.wanted.every(({ kind }) => kind === 'number');
      if (!isMaker || callee.result === '') continue;
      this.#makers.set(callee.result!, [...(this.#makers.get(callee.result!) ?? []), callee]);
    }
  }

  /** What programs of a section may call. */
  of(section: SectionFacts): readonly Callee[] {
    const known = this.#bySection.get(section);
    if (known !== undefined) return known;
    const type = section.progType.name;
    const subject = section.subject;
    const kfuncs = this.kfuncs.filter(({ name }) =>
      this.#profile.kfuncs.get(name)!.available.some(({ types }) => types.some((one) => one === '*' || one === type)),
    );
    const helpers = this.#profile.helpers.flatMap((helper) => {
      const proto = helper === undefined ? null : this.#profile.selectProto(helper, subject);
      return helper === undefined || proto === null ? [] : [helperCallee(helper, proto)];
    });
    const found = [...kfuncs, ...helpers];
    this.#bySection.set(section, found);
    return found;
  }

  get any(): readonly Callee[] {
    return this.#any;
  }

  named(name: string): Callee | null {
    return this.#any.find((callee) => callee.name === name) ?? null;
  }

  /** The kfunc that gives back a reference to a kernel struct. */
  releaser(struct: string): Callee | null {
    return this.#releasers.get(struct) ?? null;
  }

  /** Kfuncs that give a reference to a kernel struct for nothing but numbers. */
  makers(struct: string): readonly Callee[] {
    return this.#makers.get(struct) ?? [];
  }
}
