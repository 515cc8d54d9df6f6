import type { Btf } from '../../btf/btf.ts';
import { BtfError } from '../../btf/error.ts';
import { checkFuncTypeMatch, distillFuncProto } from '../../btf/func_model.ts';
import type { BtfType, FuncProtoType } from '../../btf/types.ts';
import { ATTACH_TYPES, LSM_FUNCTION_PREFIX } from '../../contracts/attach_types.ts';
import { keptTypes, PROG_FLAGS, type Program } from '../../program/program.ts';
import type { ContextArg, Env } from '../env.ts';
import { regTypeOf } from '../state/reg_types.ts';
import { checkStructOpsTarget } from './struct_ops.ts';
import type { TargetFunction } from './target.ts';

/** What a program attaches to. Source: check_attach_btf_id, bpf_check_attach_target, kernel/bpf/verifier.c. */

const BPF_PROG_TYPE_TRACING = 26;
const BPF_PROG_TYPE_STRUCT_OPS = 27;
const BPF_PROG_TYPE_EXT = 28;
const BPF_PROG_TYPE_LSM = 29;

const { BPF_TRACE_RAW_TP, BPF_TRACE_ITER, BPF_TRACE_FENTRY, BPF_TRACE_FEXIT, BPF_MODIFY_RETURN, BPF_LSM_MAC, BPF_LSM_CGROUP } =
  ATTACH_TYPES;

const RAW_TP_PREFIX = 'btf_trace_';
const SECURITY_PREFIX = 'security_';

/** Checks the target and remembers its prototype in `env.attachProto`. */
export function checkAttachTarget(env: Env): void {
  const { program, progType, subject } = env;
  if (progType.sleepableRequired) {
    if (!subject.sleepable) env.reject('EINVAL', 'Syscall programs can only be sleepable');
    return;
  }
  if (subject.sleepable && !progType.sleepableOk(subject))
    env.reject('EINVAL', 'Only fentry/fexit/fmod_ret, lsm, iter, uprobe, and struct_ops programs can be sleepable');
  switch (program.type) {
    case BPF_PROG_TYPE_STRUCT_OPS:
      checkStructOpsTarget(env);
      return;
    case BPF_PROG_TYPE_TRACING:
    case BPF_PROG_TYPE_LSM:
    case BPF_PROG_TYPE_EXT:
      checkBtfTarget(env);
  }
}

/** A target: its function's prototype, null where its types cannot be relied on. */
interface Target {
  readonly btf: Btf;
  readonly btfId: number;
  readonly type: BtfType;
  readonly name: string;
  readonly program: Program | null;
  /** the function of `program`; null where it has no such function */
  readonly func: TargetFunction | null;
}

function findTarget(env: Env): Target {
  const { attach } = env.program;
  const btfId = attach?.btfId ?? 0;
  if (btfId === 0) env.reject('EINVAL', 'Tracing programs must provide btf_id');
  const program = attach?.program ?? null;
  const btf = program ? keptTypes(program) : env.profile.btf;
  if (!btf) env.reject('EINVAL', 'FENTRY/FEXIT program can only be attached to another program annotated with BTF');
  const type = btf.typeOrUndefined(btfId);
  if (!type) env.reject('EINVAL', `attach_btf_id ${btfId} is invalid`);
  const func = env.target.find((each) => each.btfTypeId === btfId) ?? null;
  return { btf, btfId, type, name: type.name, program, func };
}

function checkBtfTarget(env: Env): void {
  const target = findTarget(env);
  const isExtension = env.program.type === BPF_PROG_TYPE_EXT;
  const { attachType } = env.program.type === BPF_PROG_TYPE_EXT ? { attachType: 0 } : env.subject;
  if (target.program) checkProgramTarget(env, target, isExtension);
  else if (isExtension) env.reject('EINVAL', 'Cannot replace kernel functions');
  if (attachType === BPF_TRACE_RAW_TP) attachToRawTracepoint(env, target);
  else if (attachType === BPF_TRACE_ITER) attachToIterator(env, target);
  else attachToFunction(env, target, isExtension, attachType);
}

/** Rules for attaching to a BPF program. */
function checkProgramTarget(env: Env, target: Target, isExtension: boolean): void {
  const program = target.program as Program;
  const { func } = target;
  if (!func) env.reject('EINVAL', `Subprog ${target.name} doesn't exist`);
  if (func.isExceptionCallback)
    env.reject('EINVAL', `${isExtension ? 'Extension' : 'FENTRY/FEXIT'} programs cannot attach to exception callback`);
  if (isExtension) checkReplacedEffects(env, func);
  if (env.program.type === BPF_PROG_TYPE_TRACING) {
    if (program.type === BPF_PROG_TYPE_TRACING && program.attach?.program?.type === BPF_PROG_TYPE_TRACING)
      env.reject('EINVAL', 'Cannot nest tracing program attach more than once');
  } else if (program.type === env.program.type) env.reject('EINVAL', 'Cannot recursively attach');
  const isTrampoline = program.expectedAttachType === BPF_TRACE_FENTRY || program.expectedAttachType === BPF_TRACE_FEXIT;
  if (isExtension && program.type === BPF_PROG_TYPE_TRACING && isTrampoline) env.reject('EINVAL', 'Cannot extend fentry/fexit');
}

/** Callers of a function rely on what it was found to do; a replacement may do no more. */
function checkReplacedEffects(env: Env, func: TargetFunction): void {
  if (func.unreliable) env.reject('EINVAL', 'Cannot replace static functions');
  const main = env.subprogs[0]!;
  if (main.changesPacketData && !func.changesPacketData)
    env.reject('EINVAL', 'Extension program changes packet data, while original does not');
  if (main.mightSleep && !func.mightSleep) env.reject('EINVAL', 'Extension program may sleep, while original does not');
}

/** The prototype of a typedef of a pointer to a function, `void *__data` first. */
function attachToRawTracepoint(env: Env, target: Target): void {
  const { btf, btfId, type, name } = target;
  if (target.program) env.reject('EINVAL', 'Only FENTRY/FEXIT progs are attachable to another BPF prog');
  if (type.kind !== 'TYPEDEF') env.reject('EINVAL', `attach_btf_id ${btfId} is not a typedef`);
  if (!name.startsWith(RAW_TP_PREFIX)) env.reject('EINVAL', `attach_btf_id ${btfId} points to wrong type name ${name}`);
  const tracepoint = name.slice(RAW_TP_PREFIX.length);
  // the function that calls the programs names its arguments; the typedef does not
  const template = btf.findByName(`__bpf_trace_${tracepoint}`, 'FUNC');
  const pointer = btf.type(type.type);
  const protoId = template ? template.type : pointer.kind === 'PTR' ? pointer.type : 0;
  if (btf.type(protoId).kind !== 'FUNC_PROTO') env.refuse('EINVAL');
  env.attachProto = { btf, protoId, name: tracepoint, skipFirstArg: true, targetIsBpf: false };
}

function funcProto(env: Env, target: Target): FuncProtoType {
  const { btf, btfId, type } = target;
  if (type.kind !== 'FUNC') env.reject('EINVAL', `attach_btf_id ${btfId} is not a function`);
  return btf.typeOf(type.type, 'FUNC_PROTO') ?? env.refuse('EINVAL');
}

/** The kernel lays out the arguments of the target, which must fit its trampoline (btf_distill_func_proto). */
function checkModel(env: Env, btf: Btf, proto: FuncProtoType | undefined, name: string): void {
  try {
    distillFuncProto(btf, proto, name);
  } catch (error) {
    if (!(error instanceof BtfError)) throw error;
    env.reject('EINVAL', error.message);
  }
}

function attachToIterator(env: Env, target: Target): void {
  const { btf, name } = target;
  const proto = funcProto(env, target);
  checkModel(env, btf, proto, name);
  env.attachProto = { btf, protoId: proto.id, name, skipFirstArg: false, targetIsBpf: false };
  const entry = [...env.profile.iterTargets.values()].find((each) => each.attachFunction === name);
  if (!entry || !env.profile.isBuilt(entry)) env.refuse('EINVAL');
  env.contextArgs = entry.contextArgs.map((arg): ContextArg => {
    const type = arg.btfType === undefined ? undefined : btf.findByName(arg.btfType, 'STRUCT');
    return { off: arg.off, regType: regTypeOf(arg.reg), btf, btfId: type?.id ?? 0, refcounted: false, refObjId: 0 };
  });
}

function attachToFunction(env: Env, target: Target, isExtension: boolean, attachType: number): void {
  const { btf, btfId, name } = target;
  if (!isExtension && !isFunctionAttach(attachType)) env.refuse('EINVAL');
  const proto = funcProto(env, target);
  if (isExtension) checkReplacedType(env, target);
  const isUnreliable = target.func?.unreliable ?? false;
  checkModel(env, btf, isUnreliable ? undefined : proto, name);
  env.attachProto = isUnreliable
    ? null
    : { btf, protoId: proto.id, name, skipFirstArg: false, targetIsBpf: target.program !== null };
  if (target.program === null && env.profile.facts.functionsWithoutAddress.has(name))
    env.reject('ENOENT', `The address of function ${name} cannot be found`);
  if ((env.program.flags & PROG_FLAGS.BPF_F_SLEEPABLE) !== 0) checkSleepable(env, target);
  else if (attachType === BPF_MODIFY_RETURN) checkModifiable(env, target);
  if (isExtension) return;
  const { denied } = env.profile.facts;
  if (env.program.type === BPF_PROG_TYPE_LSM) checkLsmHook(env, btfId, name);
  else if (env.program.type === BPF_PROG_TYPE_TRACING && denied.get('btf_id_deny')?.has(name))
    env.reject('EINVAL', `Attaching tracing programs to function '${name}' is rejected.`);
  else if ((attachType === BPF_TRACE_FEXIT || attachType === BPF_MODIFY_RETURN) && denied.get('noreturn_deny')?.has(name))
    env.reject('EINVAL', `Attaching fexit/fmod_ret to __noreturn function '${name}' is rejected.`);
}

const isFunctionAttach = (attachType: number): boolean =>
  attachType === BPF_MODIFY_RETURN ||
  attachType === BPF_LSM_MAC ||
  attachType === BPF_LSM_CGROUP ||
  attachType === BPF_TRACE_FENTRY ||
  attachType === BPF_TRACE_FEXIT;

/** A replacement has the prototype of what it replaces (btf_check_type_match). */
function checkReplacedType(env: Env, target: Target): void {
  const { btf, funcInfo } = env.program;
  const own = funcInfo[0];
  if (!btf || !own) env.reject('EINVAL', 'Program extension requires BTF');
  try {
    checkFuncTypeMatch(btf, own.typeId, target.btf, target.btfId);
  } catch (error) {
    if (!(error instanceof BtfError)) throw error;
    env.reject('EINVAL', error.message);
  }
}

function checkSleepable(env: Env, target: Target): void {
  const { facts, kfuncs } = env.profile;
  const { name } = target;
  if (env.program.type === BPF_PROG_TYPE_LSM) {
    if (facts.sleepableLsmHooks.has(name)) return;
  } else if (env.program.type === BPF_PROG_TYPE_TRACING) {
    const entry = kfuncs.get(name);
    const isInjectable = facts.errorInjection.has(name) && !facts.denied.get('btf_non_sleepable_error_inject')?.has(name);
    if (isInjectable || (entry?.modifiesReturn && entry.flags.includes('KF_SLEEPABLE'))) return;
  }
  env.reject('EINVAL', `${name} is not sleepable`);
}

function checkModifiable(env: Env, target: Target): void {
  const { name } = target;
  if (target.program) env.reject('EINVAL', "can't modify return codes of BPF programs");
  const { facts, kfuncs } = env.profile;
  if (kfuncs.get(name)?.modifiesReturn || facts.errorInjection.has(name) || name.startsWith(SECURITY_PREFIX)) return;
  env.reject('EINVAL', `${name}() is not modifiable`);
}

/** bpf_lsm_verify_prog */
function checkLsmHook(env: Env, btfId: number, name: string): void {
  if (!env.isGplCompatible) env.reject('EINVAL', 'LSM programs must have a GPL compatible license');
  if (env.profile.facts.disabledLsmHooks.has(name))
    env.reject('EINVAL', `attach_btf_id ${btfId} points to disabled hook ${name}`);
  if (!name.startsWith(LSM_FUNCTION_PREFIX)) env.reject('EINVAL', `attach_btf_id ${btfId} points to wrong type name ${name}`);
}
