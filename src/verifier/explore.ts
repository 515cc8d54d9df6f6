import { Bug, Reject, Unmodelled } from '../contracts/errors.ts';
import {
  BPF_ABS,
  BPF_ALU,
  BPF_ALU64,
  BPF_ATOMIC,
  BPF_CALL,
  BPF_EXIT,
  BPF_IMM,
  BPF_IND,
  BPF_JA,
  BPF_JMP,
  BPF_JMP32,
  BPF_LD,
  BPF_LDX,
  BPF_MEMSX,
  BPF_PSEUDO_CALL,
  BPF_PSEUDO_KFUNC_CALL,
  BPF_ST,
  BPF_STX,
  classOf,
  modeOf,
  opOf,
  sourceOf,
} from '../isa/constants.ts';
import type { Insn } from '../isa/insn.ts';
import { processExit } from './call/exit.ts';
import { checkHelperCall } from './call/helper.ts';
import { isCallAllowedInLock } from './call/in_lock.ts';
import { checkKfuncCall, throwerCalled } from './call/kfunc.ts';
import { checkFuncCall } from './call/subprogram.ts';
import type { Env } from './env.ts';
import { checkAluOp } from './insn/alu.ts';
import { checkAtomic } from './insn/atomic.ts';
import { checkCondJmpOp } from './insn/jump.ts';
import { checkLdAbs } from './insn/ld_abs.ts';
import { checkLdImm } from './insn/ld_imm.ts';
import { checkLoadMem, checkStoreImm, checkStoreReg } from './insn/load_store.ts';
import { printInsnState, verboseInsn, verboseLineInfo } from './log/insn_lines.ts';
import { printVerifierState } from './log/state_lines.ts';
import { pushHistory } from './prune/history.ts';
import { commitStackWriteMarks, resetStackWriteMarks, updateLiveStack } from './prune/liveness.ts';
import { isStateVisited, updateBranchCounts } from './prune/visited.ts';

/** Processed instructions at most (include/linux/bpf.h). */
const BPF_COMPLEXITY_LIMIT_INSNS = 1_000_000;

/** What the walk does after an instruction. */

export type Next = 'go-on' | 'go-on-and-print' | 'path-ends';

/** A refusal that a speculation barrier would avoid on a speculative path (error_recoverable_with_nospec). */
const isRecoverableWithBarrier = (error: unknown): boolean =>
  error instanceof Reject && (error.errno === 'EPERM' || error.errno === 'EACCES' || error.errno === 'EINVAL');

/** Marks the instruction as one that an architectural path reaches (sanitize_mark_insn_seen). */
const markSeen = (env: Env, index: number): void => {
  if (!env.cur.speculative) env.facts.seen[index] = env.passCount;
};

function checkCall(env: Env, insn: Insn): Next {
  const { src } = insn;
  if (
    sourceOf(insn.code) !== 0 ||
    (src !== BPF_PSEUDO_KFUNC_CALL && insn.off !== 0) ||
    (src !== 0 && src !== BPF_PSEUDO_CALL && src !== BPF_PSEUDO_KFUNC_CALL) ||
    insn.dst !== 0 ||
    classOf(insn.code) === BPF_JMP32
  )
    env.reject('EINVAL', 'BPF_CALL uses reserved fields');
  if (env.cur.activeLocks > 0 && !isCallAllowedInLock(env, insn))
    env.reject('EINVAL', 'function calls are not allowed while holding a lock');
  if (src === BPF_PSEUDO_CALL) checkFuncCall(env, insn);
  else if (src === BPF_PSEUDO_KFUNC_CALL) {
    checkKfuncCall(env, insn);
    const thrower = throwerCalled(env, insn);
    if (thrower !== null) return processExit(env, thrower);
  } else checkHelperCall(env, insn);
  env.scratchReg(0);
  env.insnIdx++;
  return 'go-on';
}

function checkJump(env: Env, insn: Insn): Next {
  env.jmpsProcessed++;
  const is32 = classOf(insn.code) === BPF_JMP32;
  switch (opOf(insn.code)) {
    case BPF_CALL:
      return checkCall(env, insn);
    case BPF_JA:
      if (sourceOf(insn.code) !== 0 || insn.src !== 0 || insn.dst !== 0 || (is32 ? insn.off : insn.imm) !== 0)
        env.reject('EINVAL', 'BPF_JA uses reserved fields');
      env.insnIdx += (is32 ? insn.imm : insn.off) + 1;
      return 'go-on';
    case BPF_EXIT:
      if (sourceOf(insn.code) !== 0 || insn.imm !== 0 || insn.src !== 0 || insn.dst !== 0 || is32)
        env.reject('EINVAL', 'BPF_EXIT uses reserved fields');
      return processExit(env, null);
    default:
      checkCondJmpOp(env, insn);
      env.insnIdx++;
      return 'go-on';
  }
}

/** Checks one instruction, advances the current state and `env.insnIdx` over it (do_check_insn). */
function checkInsn(env: Env): Next {
  const insn = env.insn(env.insnIdx);
  switch (classOf(insn.code)) {
    case BPF_ALU:
    case BPF_ALU64:
      checkAluOp(env, insn);
      break;
    case BPF_LDX:
      checkLoadMem(env, insn, false, modeOf(insn.code) === BPF_MEMSX, true, 'ldx');
      break;
    case BPF_STX:
      if (modeOf(insn.code) === BPF_ATOMIC) checkAtomic(env, insn);
      else checkStoreReg(env, insn, false);
      break;
    case BPF_ST:
      checkStoreImm(env, insn);
      break;
    case BPF_JMP:
    case BPF_JMP32:
      return checkJump(env, insn);
    case BPF_LD: {
      const mode = modeOf(insn.code);
      if (mode === BPF_ABS || mode === BPF_IND) checkLdAbs(env, insn);
      else if (mode === BPF_IMM) {
        checkLdImm(env, insn);
        env.insnIdx++;
        markSeen(env, env.insnIdx);
      } else env.reject('EINVAL', 'invalid BPF_LD mode');
      break;
    }
    default:
      throw new Bug(`instruction class ${classOf(insn.code)}`);
  }
  env.insnIdx++;
  return 'go-on';
}

/** Takes up the path that was queued last; false when none is left (pop_stack). */
function popStack(env: Env): boolean {
  const path = env.pending.pop();
  if (!path) return false;
  env.log.resetTo(path.logPosition);
  env.cur = path.state;
  env.insnIdx = path.insnIdx;
  env.prevInsnIdx = path.prevInsnIdx;
  return true;
}

function printArrival(env: Env, from: number): void {
  const note = env.cur.speculative ? ' (speculative execution)' : '';
  env.log.trace(`\nfrom ${from} to ${env.insnIdx}${note}:`);
  printVerifierState(env, env.cur, env.cur.curframe, true);
}

function printInsn(env: Env): void {
  if (env.scratchedRegs !== 0 || env.scratchedSlotsLo !== 0 || env.scratchedSlotsHi !== 0)
    printInsnState(env, env.cur, env.cur.curframe);
  verboseLineInfo(env, env.insnIdx, '; ');
  verboseInsn(env, env.insnIdx);
}

/**
 * Walks every path from the current state to its end (do_check): prunes a path at a state that was explored before, checks one
 * instruction after the other, and takes up queued paths until none is left.
 */
export function explore(env: Env): void {
  const length = env.insns.length;
  const { facts, log } = env;
  let printArrivalNext = false;
  let prevInsnIdx = -1;
  for (;;) {
    env.curHistory = null;
    env.prevInsnIdx = prevInsnIdx;
    const index = env.insnIdx;
    if (index >= length) env.reject('EFAULT', `invalid insn idx ${index} insn_cnt ${length}`);
    if (++env.insnProcessed > BPF_COMPLEXITY_LIMIT_INSNS)
      env.reject('E2BIG', `BPF program is too large. Processed ${env.insnProcessed} insn`);
    if (env.insnProcessed > env.budget) throw new Unmodelled('budget', `${env.budget} processed instructions`);
    const state = env.cur;
    state.lastInsnIdx = prevInsnIdx;
    state.insnIdx = index;
    env.observer?.arrive(state, index);
    if (!env.prunes && facts.forceCheckpoint[index] !== 0)
      throw new Unmodelled('exploring without pruning', 'only pruning ends this loop');

    let pathEnds = false;
    if (facts.prunePoint[index] !== 0 && env.prunes && isStateVisited(env, index)) {
      if (log.traces) {
        const note = state.speculative ? ' (speculative execution)' : '';
        log.trace(printArrivalNext ? `\nfrom ${prevInsnIdx} to ${index}${note}: safe\n` : `${index}: safe\n`);
      }
      pathEnds = true;
    } else {
      if (facts.jmpPoint[index] !== 0) pushHistory(env, state, 0, null);
      if (log.tracesAll && printArrivalNext) {
        printArrival(env, prevInsnIdx);
        printArrivalNext = false;
      }
      if (log.traces) printInsn(env);
      markSeen(env, index);
      prevInsnIdx = index;
      if (state.speculative && facts.nospec[index] !== 0) pathEnds = true;
      else {
        resetStackWriteMarks(env, index);
        const next = checkInsnOrStopSpeculating(env, index);
        if (next === 'go-on-and-print') printArrivalNext = true;
        pathEnds = next === 'path-ends' || (env.cur.speculative && facts.nospecResult[index] !== 0);
      }
    }
    if (!pathEnds) continue;
    env.scratchAll();
    updateBranchCounts(env, env.cur);
    updateLiveStack(env);
    if (!popStack(env)) return;
    prevInsnIdx = env.prevInsnIdx;
    printArrivalNext = true;
  }
}

/**
 * Checks the instruction. On a speculative path a refusal that a barrier would avoid ends the path instead: no processor gets
 * beyond the barrier that is remembered for the instruction.
 */
function checkInsnOrStopSpeculating(env: Env, index: number): Next {
  let next: Next;
  try {
    next = checkInsn(env);
  } catch (error) {
    if (!isRecoverableWithBarrier(error)) throw error;
    commitStackWriteMarks(env);
    if (!env.cur.speculative) throw error;
    env.facts.nospec[index] = 1;
    env.facts.aluState[index] = 0;
    return 'path-ends';
  }
  commitStackWriteMarks(env);
  return next;
}
