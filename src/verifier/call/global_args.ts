import type { Btf } from '../../btf/btf.ts';
import { essentialName } from '../../btf/names.ts';
import { SPECIAL_STRUCTS } from '../../btf/special.ts';
import {
  type BtfType,
  type FuncProtoType,
  type FuncType,
  isAnyEnum,
  isRegularInt,
  isStruct,
  kindWord,
  type PtrType,
  printedName,
} from '../../btf/types.ts';
import type { ErrnoName } from '../../contracts/errors.ts';
import type { Env, SubprogArg } from '../env.ts';
import { MEM_RDONLY, PTR_MAYBE_NULL, PTR_TRUSTED, PTR_UNTRUSTED } from '../state/reg_types.ts';
import {
  ARG_ANYTHING,
  ARG_PTR_TO_ARENA,
  ARG_PTR_TO_BTF_ID,
  ARG_PTR_TO_CTX,
  ARG_PTR_TO_DYNPTR,
  ARG_PTR_TO_MEM,
} from './arg_types.ts';
import { checkContextType, isContextType } from './context_arg.ts';

/** What the BTF of a function says of its arguments. Source: btf_prepare_func_args, kernel/bpf/btf.c. */

const MAX_ARGS = 5;

/** Declaration tags that decide what a parameter is, as `arg:NAME`. */
const ARG_TAG_PREFIX = 'arg:';
const ARG_TAGS = ['ctx', 'trusted', 'untrusted', 'nonnull', 'nullable', 'arena'] as const;
type ArgTag = (typeof ARG_TAGS)[number];

/** The function whose arguments are being read. */
interface Signature {
  readonly btf: Btf;
  readonly func: FuncType;
  readonly proto: FuncProtoType;
  readonly isGlobal: boolean;
}

const argument = (argType: number, btfId = 0, memSize = 0): SubprogArg => ({ argType, btfId, memSize });

/** Static functions whose types say nothing are passed over in silence. */
function refuseFunc(env: Env, isGlobal: boolean, text: string): never {
  return isGlobal ? env.reject('EINVAL', text) : env.refuse('EINVAL');
}

function signatureOf(env: Env, subprogno: number): Signature {
  const sub = env.subprogs[subprogno]!;
  const { btf } = env.program;
  const { isGlobal } = sub;
  if (!btf || env.program.funcInfo.length === 0) return env.bug('func_info undefined');
  if (sub.btfTypeId === 0) return isGlobal ? env.reject('EFAULT', 'Global functions need valid BTF') : env.refuse('EINVAL');
  const func = btf.typeOf(sub.btfTypeId, 'FUNC');
  if (!func) return env.reject('EFAULT', `BTF of func#${subprogno} doesn't point to KIND_FUNC`);
  if (sub.unreliable) return env.bug(`unreliable BTF for function ${func.name}()`);
  const proto = btf.typeOf(func.type, 'FUNC_PROTO');
  if (!proto) return env.reject('EFAULT', `Invalid type of function ${func.name}()`);
  const count = proto.params.length;
  if (count > MAX_ARGS)
    refuseFunc(env, isGlobal, `Global function ${func.name}() with ${count} > ${MAX_ARGS} args. Buggy compiler.`);
  const result = btf.skipModifiers(proto.ret);
  if (result.kind !== 'INT' && !isAnyEnum(result))
    refuseFunc(env, isGlobal, `Global function ${func.name}() doesn't return scalar. Only those are supported.`);
  return { btf, func, proto, isGlobal };
}

function tagsOf(env: Env, signature: Signature, index: number): ReadonlySet<ArgTag> {
  const tags = new Set<ArgTag>();
  for (const tag of signature.btf.declTags(signature.func.id)) {
    if (tag.componentIdx !== index || !tag.name.startsWith(ARG_TAG_PREFIX)) continue;
    if (!signature.isGlobal) env.reject('EOPNOTSUPP', `arg#${index} type tag is not supported in static functions`);
    const name = tag.name.slice(ARG_TAG_PREFIX.length);
    const known = ARG_TAGS.find((word) => word === name);
    if (!known) return env.reject('EOPNOTSUPP', `arg#${index} has unsupported set of tags`);
    tags.add(known);
  }
  return tags;
}

/** A struct that lives on the stack alone, also when it is only declared (btf_is_dynptr_ptr). */
function pointsToDynptr(btf: Btf, pointer: PtrType): boolean {
  const target = btf.skipModifiers(pointer.type);
  if (!isStruct(target) && !(target.kind === 'FWD' && target.of === 'struct')) return false;
  const special = SPECIAL_STRUCTS.get(target.name);
  return special !== undefined && special.field === undefined;
}

/** The one type of the kernel that the pointee can mean, flavours apart (btf_get_ptr_to_btf_id). */
function kernelType(env: Env, btf: Btf, pointer: PtrType, index: number): BtfType {
  const local = btf.skipModifiers(pointer.type);
  const refuse = (errno: ErrnoName, reason: string): never =>
    env.reject(errno, `arg#${index} reference type('${kindWord(local.kind)} ${printedName(local.name)}') ${reason}`);
  if (local.name === '') return refuse('EINVAL', 'candidate matching error: -22');
  const found = env.profile.btf.findEssential(essentialName(local.name)).filter((type) => type.kind === local.kind);
  if (found.length > 1) return refuse('ESRCH', 'is ambiguous');
  return found[0] ?? refuse('ENOENT', 'has no matches');
}

function untrustedArg(env: Env, btf: Btf, pointer: PtrType, index: number): SubprogArg {
  const target = btf.skipModifiers(pointer.type);
  if (target.kind === 'VOID' || (target.kind === 'INT' && isRegularInt(target)) || isAnyEnum(target))
    return argument(ARG_PTR_TO_MEM | MEM_RDONLY | PTR_UNTRUSTED);
  const type = kernelType(env, btf, pointer, index);
  if (!isStruct(type))
    env.reject(
      'EINVAL',
      `arg#${index} has type ${kindWord(type.kind)} '${printedName(pointer.name)}', but only struct or primitive types are allowed`,
    );
  return argument(ARG_PTR_TO_BTF_ID | PTR_UNTRUSTED, type.id);
}

function memoryArg(env: Env, btf: Btf, pointer: PtrType, index: number, mayBeNull: boolean): SubprogArg {
  const target = btf.skipModifiers(pointer.type);
  const size = btf.sizeOf(target.id);
  if (size === undefined)
    return env.reject(
      'EINVAL',
      `arg#${index} reference type('${kindWord(target.kind)} ${target.name}') size cannot be determined: -22`,
    );
  return argument(mayBeNull ? ARG_PTR_TO_MEM | PTR_MAYBE_NULL : ARG_PTR_TO_MEM, 0, size);
}

/** What a pointer parameter asks for; null where a static function's pointer says nothing. */
function pointerArg(
  env: Env,
  signature: Signature,
  pointer: PtrType,
  index: number,
  tags: ReadonlySet<ArgTag>,
): SubprogArg | null {
  const { btf } = signature;
  const checkTags = (allowed: readonly ArgTag[], text = 'has invalid combination of tags'): void => {
    for (const tag of tags) if (!allowed.includes(tag)) env.reject('EINVAL', `arg#${index} ${text}`);
  };
  if (tags.has('ctx') || isContextType(env, btf, pointer)) {
    checkTags(['ctx']);
    if (tags.has('ctx')) checkContextType(env, btf, pointer, index);
    return argument(ARG_PTR_TO_CTX);
  }
  if (pointsToDynptr(btf, pointer)) {
    checkTags([]);
    return argument(ARG_PTR_TO_DYNPTR | MEM_RDONLY);
  }
  if (tags.has('trusted')) {
    if (tags.has('nonnull')) env.reject('EINVAL', `arg#${index} has invalid combination of tags`);
    const { id } = kernelType(env, btf, pointer, index);
    const nullable = tags.has('nullable') ? PTR_MAYBE_NULL : 0;
    return argument(ARG_PTR_TO_BTF_ID | PTR_TRUSTED | nullable, id);
  }
  if (tags.has('untrusted')) {
    checkTags(['untrusted'], 'untrusted cannot be combined with any other tags');
    return untrustedArg(env, btf, pointer, index);
  }
  if (tags.has('arena')) {
    checkTags(['arena'], 'arena cannot be combined with any other tags');
    return argument(ARG_PTR_TO_ARENA);
  }
  if (!signature.isGlobal) return null;
  if (tags.has('nullable')) env.reject('EINVAL', `arg#${index} has invalid combination of tags`);
  return memoryArg(env, btf, pointer, index, !tags.has('nonnull'));
}

function argOf(env: Env, signature: Signature, index: number): SubprogArg {
  const { btf, proto, func, isGlobal } = signature;
  const tags = tagsOf(env, signature, index);
  const type = btf.skipModifiers(proto.params[index]!.type);
  const found = type.kind === 'PTR' ? pointerArg(env, signature, type, index, tags) : null;
  if (found) return found;
  if (tags.size > 0) env.reject('EINVAL', `arg#${index} has pointer tag, but is not a pointer type`);
  if (type.kind === 'INT' || isAnyEnum(type)) return argument(ARG_ANYTHING);
  return refuseFunc(env, isGlobal, `Arg#${index} type ${kindWord(type.kind)} in ${func.name}() is not supported yet.`);
}

/** Finds out what a function's arguments are; once it worked it is not asked again. */
export function prepareFuncArgs(env: Env, subprogno: number): void {
  const sub = env.subprogs[subprogno]!;
  if (sub.argsCached) return;
  const signature = signatureOf(env, subprogno);
  sub.args = signature.proto.params.map((_, index) => argOf(env, signature, index));
  sub.argsCached = true;
}
