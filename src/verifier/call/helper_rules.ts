import { isStruct } from '../../btf/types.ts';
import { ATTACH_TYPES } from '../../contracts/attach_types.ts';
import { never } from '../../contracts/errors.ts';
import type { Helper } from '../../contracts/helper.ts';
import { PROG_TYPES } from '../../contracts/uapi_numbers.ts';
import type { Env } from '../env.ts';
import { regTypeText } from '../log/state_lines.ts';
import { DYNPTR_SKB, DYNPTR_SKB_META, dynptrOf } from '../objects/dynptr.ts';
import { markChainPrecision } from '../prune/precision.ts';
import { isNullReg } from '../state/access.ts';
import { btfOf, type Reg } from '../state/reg.ts';
import { BASE_MASK, MEM_RCU, PTR_TO_MAP_VALUE, SCALAR_VALUE } from '../state/reg_types.ts';
import { ARG_PTR_TO_DYNPTR, type PreparedHelper } from './arg_types.ts';
import { pushCallbackCall } from './callback.ts';
import { checkFormatCall } from './format_string.ts';
import { callFacts } from './map_rules.ts';
import type { CallMeta } from './meta.ts';
import { checkResourceLeak } from './resources.ts';

/** What check_helper_call (kernel/bpf/verifier.c) does between the arguments and the result, by the rules that entries name. */

export interface RuleEffect {
  /** the packet may have moved, beside what the entry says */
  readonly movesPacket: boolean;
  /** the result is one CPU's part of an object that the program allocated */
  readonly allocatedPerCpu: boolean;
}

const NOTHING: RuleEffect = { movesPacket: false, allocatedPerCpu: false };
const MOVES_PACKET: RuleEffect = { movesPacket: true, allocatedPerCpu: false };
const ALLOCATED_PER_CPU: RuleEffect = { movesPacket: false, allocatedPerCpu: true };

const regAt = (env: Env, regno: number): Reg => env.cur.top.regs[regno] as Reg;

/** What is known of the dynptr argument. */
function dynptrArg(env: Env, prepared: PreparedHelper): Reg {
  const index = prepared.argTypes.findIndex((type) => (type & BASE_MASK) === ARG_PTR_TO_DYNPTR);
  if (index < 0) return env.bug('no dynptr arg found');
  return dynptrOf(env, regAt(env, index + 1));
}

/** The call can be replaced by a loop while it always gets the same function and no flags (update_loop_inline_state). */
function noteLoop(env: Env, insnIdx: number, subprogno: number): void {
  const facts = callFacts(env, insnIdx);
  if (facts.loopFits === false) return;
  const hasNoFlags = isNullReg(regAt(env, 4));
  if (hasNoFlags) markChainPrecision(env, 4);
  if (facts.loopFits === null) {
    facts.loopFits = hasNoFlags;
    facts.loopSubprog = subprogno;
  } else facts.loopFits = hasNoFlags && facts.loopSubprog === subprogno;
}

/** The callback is entered while it may not have run as often as R1 says. */
function enterLoop(env: Env, prepared: PreparedHelper, meta: CallMeta, insnIdx: number): void {
  noteLoop(env, insnIdx, meta.subprogno);
  if (prepared.helper.effects?.callback?.explored === 'once') {
    enterCallback(env, prepared, meta, insnIdx);
    return;
  }
  if (regAt(env, 1).type !== SCALAR_VALUE) env.reject('EFAULT', 'verifier bug: backtracking misuse');
  markChainPrecision(env, 1);
  const { umaxLo, umaxHi } = regAt(env, 1).scalar;
  if (umaxHi !== 0 || env.cur.top.callbackDepth < umaxLo >>> 0) {
    enterCallback(env, prepared, meta, insnIdx);
    return;
  }
  env.cur.writableTop().callbackDepth = 0;
  if (env.log.tracesAll) env.log.trace(`frame${env.cur.curframe} bpf_loop iteration limit reached\n`);
}

function enterCallback(env: Env, prepared: PreparedHelper, meta: CallMeta, insnIdx: number): void {
  const callback = prepared.helper.effects?.callback;
  if (callback) meta.enterOnce = pushCallbackCall(env, insnIdx, meta.subprogno, callback);
}

/** A hook without result has none that could be set. */
function checkSetsResult(env: Env): void {
  const { type, attachType } = env.subject;
  if (type !== PROG_TYPES.lsm || attachType !== ATTACH_TYPES.BPF_LSM_CGROUP) return;
  const proto = env.attachProto?.btf.typeOf(env.attachProto.protoId, 'FUNC_PROTO');
  if (proto?.ret === 0) env.reject('EINVAL', "BPF_LSM_CGROUP that attach to void LSM hooks can't modify return value!");
}

function perCpuEffect(env: Env): RuleEffect {
  const reg = regAt(env, 1);
  if ((reg.type & MEM_RCU) === 0) return NOTHING;
  const type = btfOf(reg).typeOrUndefined(reg.aux);
  if (!type || !isStruct(type)) env.reject('EFAULT', 'Helper has invalid btf/btf_id in R1');
  return ALLOCATED_PER_CPU;
}

/** Runs the rule of the entry, and its callback. */
export function applyHelperRule(env: Env, prepared: PreparedHelper, meta: CallMeta, insnIdx: number): RuleEffect {
  const rule = prepared.helper.effects?.rule;
  switch (rule) {
    case undefined:
    case 'get_func_ip':
    case 'kptr_xchg':
      enterCallback(env, prepared, meta, insnIdx);
      return NOTHING;
    case 'tail_call':
      checkResourceLeak(env, false, true, 'tail_call');
      return NOTHING;
    case 'get_local_storage':
      if (!isNullReg(regAt(env, 2))) env.reject('EINVAL', "get_local_storage() doesn't support non-zero flags");
      return NOTHING;
    case 'snprintf':
      checkFormatCall(env);
      return NOTHING;
    case 'loop':
      enterLoop(env, prepared, meta, insnIdx);
      return NOTHING;
    case 'dynptr_from_mem': {
      const { type } = regAt(env, 1);
      if (type !== PTR_TO_MAP_VALUE)
        env.reject('EACCES', `Unsupported reg type ${regTypeText(type)} for ${prepared.helper.name} data`);
      return NOTHING;
    }
    case 'set_retval':
      checkSetsResult(env);
      return NOTHING;
    case 'dynptr_data': {
      const dynptr = dynptrArg(env, prepared);
      meta.dynptrId = dynptr.id;
      meta.refObjId = dynptr.refObjId;
      return NOTHING;
    }
    case 'dynptr_write': {
      const { aux: kind } = dynptrArg(env, prepared);
      return kind === DYNPTR_SKB || kind === DYNPTR_SKB_META ? MOVES_PACKET : NOTHING;
    }
    case 'per_cpu_ptr':
      return perCpuEffect(env);
    default:
      return never(rule, 'applyHelperRule');
  }
}

/** The address of the traced function exists where a trampoline or a probe calls the program (check_get_func_ip). */
export function checkHelperTarget(env: Env, helper: Helper): void {
  if (helper.effects?.rule !== 'get_func_ip') return;
  const { type, attachType } = env.subject;
  const name = `${helper.name}#${helper.id}`;
  if (type === PROG_TYPES.kprobe) return;
  if (type !== PROG_TYPES.tracing) env.reject('ENOTSUPP', `func ${name} not supported for program type ${type}`);
  switch (attachType) {
    case ATTACH_TYPES.BPF_TRACE_FENTRY:
    case ATTACH_TYPES.BPF_TRACE_FEXIT:
    case ATTACH_TYPES.BPF_MODIFY_RETURN:
      return;
    default:
      env.reject('ENOTSUPP', `func ${name} supported only for fentry/fexit/fmod_ret programs`);
  }
}
