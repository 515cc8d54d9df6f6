import type { Btf } from '../../btf/btf.ts';
import { Bug } from '../../contracts/errors.ts';
import type { ArgSpec, Helper, HelperProto, RetSpec } from '../../contracts/helper.ts';
import { ARG_BASES, type ArgBase, type RetBase, TYPE_FLAGS, type TypeFlag } from '../../contracts/type_words.ts';
import type { Env } from '../env.ts';
import { BASE_MASK } from '../state/reg_types.ts';

/** Argument types as numbers: the base in the low 8 bits, flags above (enum bpf_arg_type, include/linux/bpf.h). */

const numberOf = (base: ArgBase): number => ARG_BASES.indexOf(base);

export const ARG_DONTCARE = numberOf('ARG_DONTCARE');
export const ARG_CONST_MAP_PTR = numberOf('ARG_CONST_MAP_PTR');
export const ARG_PTR_TO_MAP_KEY = numberOf('ARG_PTR_TO_MAP_KEY');
export const ARG_PTR_TO_MAP_VALUE = numberOf('ARG_PTR_TO_MAP_VALUE');
export const ARG_PTR_TO_MEM = numberOf('ARG_PTR_TO_MEM');
export const ARG_PTR_TO_ARENA = numberOf('ARG_PTR_TO_ARENA');
export const ARG_PTR_TO_CTX = numberOf('ARG_PTR_TO_CTX');
export const ARG_ANYTHING = numberOf('ARG_ANYTHING');
export const ARG_PTR_TO_SPIN_LOCK = numberOf('ARG_PTR_TO_SPIN_LOCK');
export const ARG_PTR_TO_BTF_ID = numberOf('ARG_PTR_TO_BTF_ID');
export const ARG_PTR_TO_BTF_ID_SOCK_COMMON = numberOf('ARG_PTR_TO_BTF_ID_SOCK_COMMON');
export const ARG_KPTR_XCHG_DEST = numberOf('ARG_KPTR_XCHG_DEST');
export const ARG_PTR_TO_DYNPTR = numberOf('ARG_PTR_TO_DYNPTR');

/** Name of the base of an argument type. */
export const argBase = (type: number): ArgBase => {
  const base = ARG_BASES[type & BASE_MASK];
  if (!base) throw new Bug(`argument type ${type}`);
  return base;
};

const withFlags = (base: number, flags: readonly TypeFlag[] | undefined): number =>
  (flags ?? []).reduce((type, flag) => type | TYPE_FLAGS[flag], base);

const argTypeOf = (spec: ArgSpec): number => withFlags(numberOf(spec.base), spec.flags);

/** A helper as one program may call it, with its words turned into numbers. */
export interface PreparedHelper {
  readonly helper: Helper;
  readonly proto: HelperProto;
  readonly argTypes: readonly number[];
  /** bytes of MEM_FIXED_SIZE arguments, 0 for others */
  readonly argSizes: readonly number[];
  /** struct in the kernel's BTF, 0 for none */
  readonly argBtfIds: readonly number[];
  readonly retBase: RetBase;
  readonly retFlags: number;
  readonly retBtfId: number;
}

const structId = (btf: Btf, name: string | undefined): number => {
  if (name === undefined) return 0;
  const struct = btf.findByName(name, 'STRUCT');
  if (!struct) throw new Bug(`no struct ${name} in the kernel's BTF`);
  return struct.id;
};

const retFlagsOf = (ret: RetSpec): number => withFlags(0, ret.flags);

function prepare(btf: Btf, helper: Helper, proto: HelperProto): PreparedHelper {
  return {
    helper,
    proto,
    argTypes: proto.args.map(argTypeOf),
    argSizes: proto.args.map((arg) => arg.size ?? 0),
    argBtfIds: proto.args.map((arg) => structId(btf, arg.btfType)),
    retBase: proto.ret.base,
    retFlags: retFlagsOf(proto.ret),
    retBtfId: structId(btf, proto.ret.btfType),
  };
}

const preparedHelpers = new WeakMap<Env, (PreparedHelper | null | undefined)[]>();

/** The helper as this program may call it; null when it may not (get_helper_proto). */
export function preparedHelper(env: Env, helper: Helper): PreparedHelper | null {
  let table = preparedHelpers.get(env);
  if (!table) {
    table = [];
    preparedHelpers.set(env, table);
  }
  let found = table[helper.id];
  if (found === undefined) {
    const proto = env.profile.selectProto(helper, env.subject);
    found = proto ? prepare(env.profile.btf, helper, proto) : null;
    table[helper.id] = found;
  }
  return found;
}
