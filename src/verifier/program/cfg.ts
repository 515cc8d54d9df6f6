import { BPF_CALL, BPF_EXIT, BPF_JA, BPF_JMP, BPF_JMP32, classOf, opOf } from '../../isa/constants.ts';
import type { Insn } from '../../isa/insn.ts';
import type { Env, Subprog } from '../env.ts';
import { verboseLineInfo } from '../log/insn_lines.ts';
import { callSummary } from './call_summary.ts';
import { findContainingSubprog, isPseudoFunc, isSubprogCall, jumpOffset, slotsOf } from './subprogs.ts';

/** The control-flow graph of a program. Source: check_cfg, compute_postorder, kernel/bpf/verifier.c. */

const DISCOVERED = 0x10;
const EXPLORED = 0x20;
const FALLTHROUGH = 1;
const BRANCH = 2;
const JCOND = 0xe0;

export const isMayGoto = (insn: Insn): boolean => insn.code === (BPF_JMP | JCOND) && insn.src === 0;

/** Successors that the last `insnSuccessors` found: succ0, then succ1. */
export let succ0 = 0;
export let succ1 = 0;

/** Puts the instructions that may run next into `succ0` and `succ1` and returns how many there are (bpf_insn_successors). */
export function insnSuccessors(insns: readonly Insn[], index: number): number {
  const insn = insns[index] as Insn;
  const { code } = insn;
  const kind = classOf(code);
  if (kind !== BPF_JMP && kind !== BPF_JMP32) {
    succ0 = index + slotsOf(insn);
    return succ0 < insns.length ? 1 : 0;
  }
  switch (opOf(code)) {
    case BPF_EXIT:
      return 0;
    case BPF_CALL:
      succ0 = index + 1;
      return succ0 < insns.length ? 1 : 0;
    case BPF_JA:
      succ0 = index + jumpOffset(insn) + 1;
      return 1;
    default: {
      const target = index + insn.off + 1;
      if (index + 1 >= insns.length) {
        succ0 = target;
        return 1;
      }
      succ0 = index + 1;
      succ1 = target;
      return 2;
    }
  }
}

/**
 * Successors of every instruction of a program whose jumps are known to stay inside it: instruction i leads to slots 2i and
 * 2i + 1 of the table, -1 for none.
 */
export function successorsOf(env: Env): Int32Array {
  env.successors ??= findSuccessors(env.insns);
  return env.successors;
}

function findSuccessors(insns: readonly Insn[]): Int32Array {
  const successors = new Int32Array(insns.length * 2).fill(-1);
  for (let index = 0; index < insns.length; index++) {
    const count = insnSuccessors(insns, index);
    if (count > 0) successors[index * 2] = succ0;
    if (count > 1) successors[index * 2 + 1] = succ1;
  }
  return successors;
}

/** The depth-first walk: what an instruction's edges found so far, and the way back. */
interface Walk {
  readonly env: Env;
  readonly state: Uint8Array;
  readonly stack: Int32Array;
  depth: number;
}

/** True when the walk goes on at `to`. */
function follow(walk: Walk, from: number, to: number, edge: number): boolean {
  const { env, state } = walk;
  if ((state[from] as number) >= (DISCOVERED | edge)) return false;
  if (to < 0 || to >= env.insns.length) {
    verboseLineInfo(env, from, `${from}: `);
    env.reject('EINVAL', `jump out of range from insn ${from} to ${to}`);
  }
  if (edge === BRANCH) {
    env.facts.prunePoint[to] = 1;
    env.facts.jmpPoint[to] = 1;
  }
  if (state[to] === 0) {
    state[from] = DISCOVERED | edge;
    state[to] = DISCOVERED;
    if (walk.depth >= env.insns.length) env.refuse('E2BIG');
    walk.stack[walk.depth++] = to;
    return true;
  }
  if (((state[to] as number) & 0xf0) === DISCOVERED) {
    if (env.bpfCapable) return false;
    verboseLineInfo(env, from, `${from}: `);
    verboseLineInfo(env, to, `${to}: `);
    env.reject('EINVAL', `back-edge from insn ${from} to ${to}`);
  }
  state[from] = DISCOVERED | edge;
  return false;
}

/** What a callee does to packets, and whether it may sleep, its caller does too. */
function mergeCallee(env: Env, at: number, callee: number): void {
  const caller = env.subprogs[findContainingSubprog(env, at)] as Subprog;
  const called = env.subprogs[findContainingSubprog(env, callee)] as Subprog;
  caller.changesPacketData ||= called.changesPacketData;
  caller.mightSleep ||= called.mightSleep;
}

function visitCall(walk: Walk, index: number, insn: Insn, visitsCallee: boolean): boolean {
  const { env } = walk;
  const next = index + slotsOf(insn);
  if (follow(walk, index, next, FALLTHROUGH)) return true;
  env.facts.prunePoint[next] = 1;
  env.facts.jmpPoint[next] = 1;
  if (!visitsCallee) return false;
  const callee = index + insn.imm + 1;
  env.facts.prunePoint[index] = 1;
  mergeCallee(env, index, callee);
  return follow(walk, index, callee, BRANCH);
}

/** Marks where calls of helpers and kfuncs need checkpoints. */
function noteCall(env: Env, index: number, insn: Insn): void {
  const summary = callSummary(env, insn);
  if (!summary) return;
  const { facts } = env;
  if (summary.callback === 'async') facts.prunePoint[index] = 1;
  if (summary.callback === 'once') facts.callsCallbackOnce[index] = 1;
  if (summary.callback === 'sync') {
    facts.callsCallback[index] = 1;
    facts.forceCheckpoint[index] = 1;
    facts.prunePoint[index] = 1;
    facts.jmpPoint[index] = 1;
  }
  if (summary.isIterNext) {
    facts.isIterNext[index] = 1;
    facts.prunePoint[index] = 1;
    facts.forceCheckpoint[index] = 1;
  }
  const sub = env.subprogs[findContainingSubprog(env, index)] as Subprog;
  sub.mightSleep ||= summary.mightSleep;
  sub.changesPacketData ||= summary.changesPacketData;
}

/** True when the walk goes on deeper, false when the instruction is done. */
function visit(walk: Walk, index: number): boolean {
  const { env } = walk;
  const insn = env.insn(index);
  if (isPseudoFunc(insn)) return visitCall(walk, index, insn, true);
  const kind = classOf(insn.code);
  if (kind !== BPF_JMP && kind !== BPF_JMP32) return follow(walk, index, index + slotsOf(insn), FALLTHROUGH);
  const { facts } = env;
  switch (opOf(insn.code)) {
    case BPF_EXIT:
      return false;
    case BPF_CALL:
      noteCall(env, index, insn);
      return visitCall(walk, index, insn, isSubprogCall(insn));
    case BPF_JA: {
      if ((insn.code & 0x08) !== 0) env.refuse('EINVAL');
      const target = index + jumpOffset(insn) + 1;
      if (follow(walk, index, target, FALLTHROUGH)) {
        // the kernel marks the target on the visit that finds it explored
        return true;
      }
      facts.prunePoint[target] = 1;
      facts.jmpPoint[target] = 1;
      return false;
    }
    default:
      facts.prunePoint[index] = 1;
      if (isMayGoto(insn)) facts.forceCheckpoint[index] = 1;
      if (follow(walk, index, index + 1, FALLTHROUGH)) return true;
      return follow(walk, index, index + insn.off + 1, BRANCH);
  }
}

function walkFrom(walk: Walk, start: number): void {
  walk.state[start] = DISCOVERED;
  walk.stack[0] = start;
  walk.depth = 1;
  while (walk.depth > 0) {
    const index = walk.stack[walk.depth - 1] as number;
    if (visit(walk, index)) continue;
    walk.state[index] = EXPLORED;
    walk.depth--;
  }
}

/** Every instruction is reachable; unprivileged programs have no loops. Marks where states are compared (check_cfg). */
export function checkCfg(env: Env): void {
  const length = env.insns.length;
  const walk: Walk = { env, state: new Uint8Array(length), stack: new Int32Array(length), depth: 0 };
  walkFrom(walk, 0);
  if (env.exceptionCallbackSubprog !== 0) {
    const { start } = env.subprogs[env.exceptionCallbackSubprog] as Subprog;
    if (walk.state[start] !== EXPLORED) walkFrom(walk, start);
  }
  for (let index = 0; index < length; index++) {
    if (walk.state[index] !== EXPLORED) env.reject('EINVAL', `unreachable insn ${index}`);
    if (slotsOf(env.insn(index)) === 1) continue;
    if (walk.state[index + 1] !== 0) env.reject('EINVAL', `jump into the middle of ldimm64 insn ${index}`);
    index++;
  }
}

/** Instructions of each function, callees last visited first (compute_postorder); calls are not followed. */
export function computePostorder(env: Env): void {
  const length = env.insns.length;
  const order = new Int32Array(length);
  const state = new Uint8Array(length);
  const stack = new Int32Array(2 * length + 2);
  const successors = successorsOf(env);
  let count = 0;
  for (const sub of env.subprogs) {
    sub.postorderStart = count;
    stack[0] = sub.start;
    let depth = 1;
    while (depth > 0) {
      const top = stack[depth - 1] as number;
      state[top] = (state[top] as number) | DISCOVERED;
      if (((state[top] as number) & EXPLORED) !== 0) {
        order[count++] = top;
        depth--;
        continue;
      }
      const first = successors[top * 2] as number;
      const second = successors[top * 2 + 1] as number;
      if (first >= 0 && state[first] === 0) {
        stack[depth++] = first;
        state[first] = DISCOVERED;
      }
      if (second >= 0 && state[second] === 0) {
        stack[depth++] = second;
        state[second] = DISCOVERED;
      }
      state[top] = (state[top] as number) | EXPLORED;
    }
  }
  env.postorder = order.subarray(0, count);
}

/** Where the postorder of a function ends. */
export const postorderEnd = (env: Env, subprogno: number): number =>
  env.subprogs[subprogno + 1]?.postorderStart ?? env.postorder.length;
