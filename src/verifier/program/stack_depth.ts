import type { Env, Subprog } from '../env.ts';
import { findSubprog, isKfuncCall, isPseudoFunc, isSubprogCall, subprogEnd } from './subprogs.ts';

/** Stack of call chains, bytes. Source: check_max_stack_depth, kernel/bpf/verifier.c. */

const MAX_BPF_STACK = 512;
const MAX_CALL_FRAMES = 8;
const MAX_TAIL_CALL_STACK = 256;
/** functions with less stack share the kernel's */
const PRIVATE_STACK_MIN_SIZE = 64;

const rounded = (depth: number): number => (depth + 15) & ~15;

/** Where the walk goes on when a callee is done. */
interface Return {
  readonly insn: number;
  readonly subprogno: number;
}

class DepthWalk {
  private readonly env: Env;
  private readonly mayBePrivate: boolean;
  private readonly callers: Return[] = [];
  private depth = 0;
  private tailCallReachable = false;

  constructor(env: Env, mayBePrivate: boolean) {
    this.env = env;
    this.mayBePrivate = mayBePrivate;
  }

  run(root: number): void {
    const { env } = this;
    let subprogno = root;
    let index = this.enter(subprogno);
    for (;;) {
      const callee = this.nextCall(subprogno, index);
      if (callee) {
        this.callers.push({ insn: callee.insn + 1, subprogno });
        subprogno = callee.subprogno;
        if ((env.subprogs[subprogno] as Subprog).hasTailCall) this.tailCallReachable = true;
        if (this.callers.length >= MAX_CALL_FRAMES)
          env.reject('E2BIG', `the call stack of ${this.callers.length} frames is too deep !`);
        index = this.enter(subprogno);
        continue;
      }
      this.leave();
      const back = this.callers.pop();
      if (!back) return;
      const sub = env.subprogs[subprogno] as Subprog;
      if (sub.privateStack !== 'adaptive') this.depth -= rounded(sub.stackDepth);
      ({ subprogno } = back);
      index = back.insn;
    }
  }

  /** Adds the function's stack and returns its first instruction. */
  private enter(subprogno: number): number {
    const { env } = this;
    const sub = env.subprogs[subprogno] as Subprog;
    if (!this.mayBePrivate) sub.privateStack = 'none';
    if (subprogno !== 0 && sub.hasTailCall && this.depth >= MAX_TAIL_CALL_STACK)
      env.reject('EACCES', `tail_calls are not allowed when call stack of previous frames is ${this.depth} bytes. Too large`);
    const own = rounded(sub.stackDepth);
    if (this.mayBePrivate && sub.privateStack === 'unknown' && own >= PRIVATE_STACK_MIN_SIZE) sub.privateStack = 'adaptive';
    if (sub.privateStack === 'adaptive') {
      if (own > MAX_BPF_STACK) env.reject('EACCES', `stack size of subprog ${subprogno} is ${own}. Too large`);
    } else {
      this.depth += own;
      if (this.depth > MAX_BPF_STACK)
        env.reject('EACCES', `combined stack size of ${this.callers.length + 1} calls is ${this.depth}. Too large`);
    }
    return sub.start;
  }

  /** The next call of a function, from `index` on; asynchronous callbacks run on a stack of their own. */
  private nextCall(subprogno: number, index: number): Return | null {
    const { env } = this;
    const end = subprogEnd(env, subprogno);
    for (let i = index; i < end; i++) {
      const insn = env.insn(i);
      if (isKfuncCall(insn) && insn.off === 0) this.checkThrow(subprogno, i);
      if (!isSubprogCall(insn) && !isPseudoFunc(insn)) continue;
      const callee = findSubprog(env, i + insn.imm + 1);
      const sub = env.subprogs[callee];
      if (!sub) return env.bug(`callee not found at insn ${i + insn.imm + 1}`);
      if (sub.isAsyncCallback) {
        if (!isSubprogCall(insn)) continue;
        if (sub.isExceptionCallback) {
          env.verbose(`insn ${i} cannot call exception cb directly`);
          env.refuse('EINVAL');
        }
      }
      return { insn: i, subprogno: callee };
    }
    return null;
  }

  private checkThrow(subprogno: number, index: number): void {
    const { env } = this;
    const throws = env.kfuncs.get(env.insn(index).imm)?.entry?.roles?.includes('throw') ?? false;
    if (!throws) return;
    const chain = [subprogno, ...this.callers.map((caller) => caller.subprogno)];
    if (chain.some((number) => env.subprogs[number]?.isCallback))
      env.reject('EINVAL', `bpf_throw kfunc (insn ${index}) cannot be called from callback subprog ${subprogno}`);
  }

  /** A tail call in a callee is one for every caller on the chain. */
  private leave(): void {
    if (!this.tailCallReachable) return;
    for (const { subprogno } of this.callers) {
      const sub = this.env.subprogs[subprogno] as Subprog;
      if (sub.isExceptionCallback) this.env.reject('EINVAL', 'cannot tail call within exception cb');
      sub.tailCallReachable = true;
    }
  }
}

/** Refuses call chains that need more stack than there is. */
export function checkMaxStackDepth(env: Env): void {
  const hasTailCall = env.subprogs.some((sub) => sub.hasTailCall);
  const mayBePrivate = !hasTailCall && (env.progType.privateStack?.(env.subject) ?? false);
  for (let number = env.subprogs.length - 1; number >= 0; number--) {
    if (number === 0 || env.subprogs[number]?.isAsyncCallback) new DepthWalk(env, number === 0 && mayBePrivate).run(number);
  }
}
