import { type ErrnoName, Reject } from '../../contracts/errors.ts';
import type { Insn } from '../../isa/insn.ts';
import type { Env } from '../env.ts';
import { printVerifierState } from '../log/state_lines.ts';
import { initialFrame } from '../paths.ts';
import { findSubprog, subprogName } from '../program/subprogs.ts';
import { resetLiveStackCallchain, updateLiveStack } from '../prune/liveness.ts';
import { findPreviousEntry, widenImpreciseScalars } from '../prune/loops.ts';
import { markChainPrecision } from '../prune/precision.ts';
import { clearCallerSavedRegs, copyRegTo, markRegUnknown } from '../state/access.ts';
import type { Frame } from '../state/frame.ts';
import type { Reg } from '../state/reg.ts';
import { PTR_TO_STACK, SCALAR_VALUE } from '../state/reg_types.ts';
import type { State } from '../state/state.ts';
import { checkFuncArgs } from './func_args.ts';
import { clearPacketPointers } from './packet_pointers.ts';
import { invalidScalarText, isInReturnRange } from './return_range.ts';

/** Calls of the program's own functions. Source: check_func_call, prepare_func_exit, kernel/bpf/verifier.c. */

const MAX_CALL_FRAMES = 8;

/**
 * Compares the arguments of the current frame with the BTF of a function. One that does not agree is no longer trusted: compilers
 * drop arguments of static functions. Null where it agrees, else the errno (btf_check_subprog_call).
 */
export function matchSubprogTypes(env: Env, subprogno: number): ErrnoName | null {
  const sub = env.subprogs[subprogno]!;
  if (env.program.funcInfo.length === 0) return 'EINVAL';
  if (sub.btfTypeId === 0) env.refuse('EFAULT');
  if (sub.unreliable) return 'EINVAL';
  try {
    checkFuncArgs(env, subprogno);
    return null;
  } catch (error) {
    if (!(error instanceof Reject)) throw error;
    sub.unreliable = true;
    if (error.errno === 'EFAULT') throw error;
    return error.errno;
  }
}

/** A frame for a function that the top one calls; `setArgs` sets its registers from those of the caller. */
export function newFuncEntry(
  env: Env,
  state: State,
  subprogno: number,
  callsite: number,
  setArgs: (caller: Frame, callee: Frame) => void,
): Frame {
  const frameno = state.curframe + 1;
  if (frameno >= MAX_CALL_FRAMES) env.reject('E2BIG', `the call stack of ${frameno + 1} frames is too deep`);
  const callee = initialFrame(env, callsite, frameno, subprogno);
  setArgs(state.top, callee);
  return callee;
}

/** Enters a function in `state`: a new frame on top (setup_func_entry). */
export function setupFuncEntry(...[env, state, subprogno, callsite, setArgs]: Parameters<typeof newFuncEntry>): void {
  const callee = newFuncEntry(env, state, subprogno, callsite, setArgs);
  state.curframe++;
  state.frames[state.curframe] = callee;
}

/** The walk goes on in a function, whose frame is ready. */
export function beginSubprogram(env: Env, subprogno: number, callee: Frame): void {
  const { cur } = env;
  cur.curframe++;
  cur.frames[cur.curframe] = callee;
  env.insnIdx = env.subprogs[subprogno]!.start - 1;
  resetLiveStackCallchain(env);
  logEntry(env);
}

/** R1 to R5 are handed over as they are (set_callee_state). */
const passArgs = (caller: Frame, callee: Frame): void => {
  for (let regno = 1; regno <= 5; regno++) copyRegTo(callee, regno, caller.regs[regno] as Reg, caller.isPreciseReg(regno));
};

/** A global function is verified on its own: here its result is any number. */
function callGlobal(env: Env, subprogno: number, mismatch: ErrnoName | null): void {
  const sub = env.subprogs[subprogno]!;
  const { cur } = env;
  const name = subprogName(env, subprogno);
  if (cur.activeLocks > 0)
    env.reject('EINVAL', 'global function calls are not allowed while holding a lock,\nuse static function instead');
  const mustNotSleep = cur.activeRcuLock || cur.activePreemptLocks > 0 || cur.activeIrqId !== 0 || !cur.inSleepable;
  if (sub.mightSleep && mustNotSleep)
    env.reject(
      'EINVAL',
      'global functions that may sleep are not allowed in non-sleepable context,\n' +
        'i.e., in a RCU/IRQ/preempt-disabled section, or in\na non-sleepable BPF program context',
    );
  if (mismatch !== null) env.reject(mismatch, `Caller passes invalid args into func#${subprogno} ('${name}')`);
  env.log.trace(`Func#${subprogno} ('${name}') is global and assumed valid.\n`);
  if (sub.changesPacketData) clearPacketPointers(env);
  sub.called = true;
  const frame = cur.writableTop();
  clearCallerSavedRegs(env, frame);
  markRegUnknown(env, frame, 0);
}

function logEntry(env: Env): void {
  if (!env.log.traces) return;
  const { cur } = env;
  env.log.trace('caller:\n');
  printVerifierState(env, cur, cur.curframe - 1, true);
  env.log.trace('callee:\n');
  printVerifierState(env, cur, cur.curframe, true);
}

/** A call of a function of the program; the walk goes on in a static one (check_func_call). */
export function checkFuncCall(env: Env, insn: Insn): void {
  const target = env.insnIdx + insn.imm + 1;
  const subprogno = findSubprog(env, target);
  const sub = env.subprogs[subprogno];
  if (!sub) env.bug(`target of func call at insn ${target} is not a program`);
  const mismatch = matchSubprogTypes(env, subprogno);
  if (sub.isGlobal) {
    callGlobal(env, subprogno, mismatch);
    return;
  }
  const { cur } = env;
  setupFuncEntry(env, cur, subprogno, env.insnIdx, passArgs);
  clearCallerSavedRegs(env, cur.writableFrame(cur.curframe - 1));
  env.insnIdx = sub.start - 1;
  resetLiveStackCallchain(env);
  logEntry(env);
}

/** A callback returns a number that its caller may have to understand. */
function checkCallbackResult(env: Env, callee: Frame): void {
  if ((callee.regs[0] as Reg).type !== SCALAR_VALUE) env.reject('EACCES', 'R0 not a scalar value');
  markChainPrecision(env, 0);
  const range = { min: callee.callbackReturnMin, max: callee.callbackReturnMax };
  const { scalar } = env.cur.top.regs[0] as Reg;
  if (!isInReturnRange(range, scalar)) env.reject('EINVAL', invalidScalarText(scalar, range, 'At callback return', 'R0'));
  const { callsCallback, callsCallbackOnce } = env.facts;
  if (callsCallback[callee.callsite] === 0 && callsCallbackOnce[callee.callsite] === 0)
    env.bug(`in callback at ${env.insnIdx}, callsite ${callee.callsite} !calls_callback`);
}

function logReturn(env: Env): void {
  if (!env.log.traces) return;
  const { cur } = env;
  env.log.trace('returning from callee:\n');
  printVerifierState(env, cur, cur.curframe, true);
  env.log.trace(`to caller at ${env.insnIdx}:\n`);
  printVerifierState(env, cur, cur.curframe - 1, true);
}

/**
 * Leaves the current function; `env.insnIdx` becomes the instruction that is next. That is the call itself after a callback, which
 * may be called again: the loop converges when a turn changes nothing that matters (prepare_func_exit). A callback that is explored
 * once goes on behind the call.
 */
export function prepareFuncExit(env: Env): void {
  updateLiveStack(env);
  const { cur } = env;
  const callee = cur.top;
  const result = callee.regs[0] as Reg;
  if (result.type === PTR_TO_STACK) env.reject('EINVAL', 'cannot return stack pointer to the caller');
  const { inCallback, callsite } = callee;
  if (inCallback) checkCallbackResult(env, callee);
  else copyRegTo(cur.writableFrame(cur.curframe - 1), 0, result, callee.isPreciseReg(0));
  const comesAgain = inCallback && env.facts.callsCallback[callsite] !== 0;
  env.insnIdx = comesAgain ? callsite : callsite + 1;
  logReturn(env);
  cur.frames.length = cur.curframe;
  cur.curframe--;
  if (!comesAgain) return;
  const previous = findPreviousEntry(env, cur, env.insnIdx);
  if (previous) widenImpreciseScalars(env, previous, cur);
}
