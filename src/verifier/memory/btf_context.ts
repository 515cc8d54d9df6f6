import type { Btf } from '../../btf/btf.ts';
import type { BtfType, PtrType } from '../../btf/types.ts';
import { ATTACH_TYPES } from '../../contracts/attach_types.ts';
import { PROG_TYPES } from '../../contracts/uapi_numbers.ts';
import { isContextOf } from '../call/context_arg.ts';
import type { AttachProto, Env } from '../env.ts';
import {
  baseOf,
  isMaybeNull,
  MEM_PERCPU,
  MEM_USER,
  PTR_MAYBE_NULL,
  PTR_TO_BTF_ID,
  PTR_TO_BUF,
  PTR_TRUSTED,
  SCALAR_VALUE,
} from '../state/reg_types.ts';
import { type ContextField, SCALAR_FIELD } from './context.ts';

/**
 * Contexts whose slots are the arguments of the attached function, as its BTF declares them. Source: btf_ctx_access,
 * kernel/bpf/btf.c.
 */

/** Arguments of a function without prototype. */
const MAX_ARGS = 5;

const { BPF_LSM_MAC, BPF_LSM_CGROUP, BPF_TRACE_FEXIT, BPF_MODIFY_RETURN, BPF_TRACE_RAW_TP } = ATTACH_TYPES;

const KIND_TEXTS: Readonly<Partial<Record<BtfType['kind'], string>>> = { VOID: 'UNKNOWN' };

/** btf_type_str */
const kindText = (type: BtfType): string => KIND_TEXTS[type.kind] ?? type.kind;

const isNumber = (type: BtfType): boolean =>
  (type.kind === 'INT' && type.size <= 8) ||
  type.kind === 'ENUM' ||
  type.kind === 'ENUM64' ||
  type.kind === 'STRUCT' ||
  type.kind === 'UNION';

/** Number of the argument that the slot at `off` belongs to: arguments take whole slots (btf_ctx_arg_idx). */
function argumentAt(env: Env, attach: AttachProto, off: number): number {
  const proto = attach.btf.type(attach.protoId);
  if (proto.kind !== 'FUNC_PROTO') return env.bug(`attach prototype ${attach.protoId} is ${proto.kind}`);
  // tracepoint arguments all take one slot; their first parameter is not in the context
  let end = 0;
  for (let i = 0; i < proto.params.length; i++) {
    const size = attach.btf.sizeOf(proto.params[i]?.type ?? 0) ?? 8;
    end += attach.skipFirstArg ? 8 : Math.ceil(size / 8) * 8;
    if (off < end) return i;
  }
  const ret = attach.btf.sizeOf(proto.ret) ?? 0;
  // nothing returned takes no slot
  end += Math.ceil(ret / 8) * 8;
  return off < end ? proto.params.length : proto.params.length + 1;
}

/** Returns null when the access is refused; what the kernel logs is logged. */
export function btfContextAccess(env: Env, off: number, size: number): ContextField | null {
  const attach = env.attachProto;
  const name = attach?.name ?? '(null)';
  const refuse = (text: string): null => {
    env.verbose(`${text}\n`);
    return null;
  };
  if (off % 8 !== 0) return refuse(`func '${name}' offset ${off} is not multiple of 8`);
  const proto = attach ? attach.btf.type(attach.protoId) : null;
  const params = proto?.kind === 'FUNC_PROTO' ? (attach?.skipFirstArg ? proto.params.slice(1) : proto.params) : [];
  const count = proto ? params.length : MAX_ARGS;
  const arg = attach && proto ? argumentAt(env, attach, off) : off / 8;
  const noArgument = `func '${name}' doesn't have ${arg + 1}-th argument`;
  if (arg > count) return refuse(noArgument);
  if (!attach || proto?.kind !== 'FUNC_PROTO') return SCALAR_FIELD;
  const { btf } = attach;
  const param = params[arg];
  let type: BtfType;
  let isReturnValue = false;
  if (!param) {
    const { attachType } = env.subject;
    isReturnValue = attachType === BPF_LSM_MAC;
    type = btf.type(proto.ret);
    if (attachType === BPF_MODIFY_RETURN) {
      type = btf.skipModifiers(proto.ret);
      if (type.kind !== 'INT' || type.size > 8) return refuse(`ret type ${kindText(type)} not allowed for fmod_ret`);
    } else if (!isReturnValue && attachType !== BPF_LSM_CGROUP && attachType !== BPF_TRACE_FEXIT) return refuse(noArgument);
  } else type = btf.type(param.type);
  type = btf.skipModifiers(type.id);
  if (isNumber(type)) return { ...SCALAR_FIELD, isReturnValue };
  if (type.kind !== 'PTR')
    return refuse(`func '${name}' arg${arg} '${type.name}' has type ${kindText(type)}. Only pointer access is allowed`);
  if (size !== 8) return refuse(`func '${name}' size ${size} must be 8`);
  return pointerArgument(env, attach, arg, off, type, param?.name ?? '', isReturnValue);
}

/** Arguments are valid for the whole run for these programs (prog_args_trusted). */
const hasTrustedArgs = (env: Env): boolean => env.progType.trustedArgs?.(env.subject, env.profile.facts) ?? false;

function pointerArgument(
  env: Env,
  attach: AttachProto,
  arg: number,
  off: number,
  pointer: PtrType,
  paramName: string,
  isReturnValue: boolean,
): ContextField | null {
  const { btf, name } = attach;
  const pointee = pointer.type;
  const declared = env.contextArgs.find((one) => one.off === off);
  if (declared && baseOf(declared.regType) === PTR_TO_BUF && isMaybeNull(declared.regType))
    return { ...SCALAR_FIELD, regType: declared.regType };
  const target = btf.skipModifiers(pointee);
  if (target.kind === 'VOID' || target.kind === 'INT') return { ...SCALAR_FIELD, isReturnValue };
  if (declared) {
    if (declared.btfId === 0) {
      env.verbose(`invalid btf_id for context argument offset ${off}\n`);
      return null;
    }
    const { regType, btfId, refObjId } = declared;
    return { regType, obj: declared.btf, btfId, refObjId, isReturnValue: false };
  }
  let regType = PTR_TO_BTF_ID | (hasTrustedArgs(env) ? PTR_TRUSTED : 0);
  if (paramName.endsWith('__nullable')) regType |= PTR_MAYBE_NULL;
  let mayBeError = false;
  if (env.subject.attachType === BPF_TRACE_RAW_TP) {
    const mask = env.profile.facts.rawTpNullArgs.get(env.subject.attachName?.replace(/^btf_trace_/, '') ?? '') ?? 0n;
    const bits = Number((mask >> BigInt(arg * 4)) & 3n);
    if ((bits & 1) !== 0) regType |= PTR_MAYBE_NULL;
    mayBeError = (bits & 2) !== 0;
  }
  if (attach.targetIsBpf) return contextArgument(env, btf, pointer, regType);
  return structArgument(env, btf, name, arg, pointee, regType, mayBeError);
}

/**
 * Of the pointers that a BPF program passes on only its context is known: it is seen as the kernel has it (btf_translate_to_vmlinux).
 */
function contextArgument(env: Env, btf: Btf, pointer: PtrType, regType: number): ContextField | null {
  const target = env.program.attach?.program ?? null;
  const origin = target?.type === PROG_TYPES.ext ? (target.attach?.program ?? target) : target;
  const progType = origin ? env.profile.progTypes.get(origin.type) : undefined;
  if (!origin || !progType?.kernelContextStruct) return null;
  if (!isContextOf(progType, origin.expectedAttachType, btf, pointer)) return null;
  const kernel = env.profile.btf;
  const name = progType.kernelContextStruct;
  const type = kernel.findByName(name, 'STRUCT') ?? kernel.findByName(name, 'TYPEDEF');
  return type ? { regType, obj: kernel, btfId: type.id, refObjId: 0, isReturnValue: false } : null;
}

function structArgument(
  env: Env,
  btf: Btf,
  name: string,
  arg: number,
  pointee: number,
  regType: number,
  mayBeError: boolean,
): ContextField | null {
  let flags = regType;
  const tag = btf.type(pointee);
  if (tag.kind === 'TYPE_TAG' && !tag.kindFlag) {
    if (tag.name === 'user') flags |= MEM_USER;
    if (tag.name === 'percpu') flags |= MEM_PERCPU;
  }
  const struct = btf.skipModifiers(pointee);
  if (struct.kind !== 'STRUCT' && struct.kind !== 'UNION') {
    env.verbose(`func '${name}' arg${arg} type ${kindText(struct)} is not a struct\n`);
    return null;
  }
  env.verbose(`func '${name}' arg${arg} has btf_id ${struct.id} type ${struct.kind} '${struct.name}'\n`);
  if (mayBeError) {
    env.verbose(`marking pointer arg${arg} as scalar as it may encode error`);
    return { ...SCALAR_FIELD, regType: SCALAR_VALUE };
  }
  const promoted = env.structOps?.promotes.get(struct.name);
  const btfId = promoted === undefined ? struct.id : (btf.findByName(promoted, 'STRUCT')?.id ?? struct.id);
  return { regType: flags, obj: btf, btfId, refObjId: 0, isReturnValue: false };
}
