import { BPF_REG_FP } from '../../isa/constants.ts';
import type { Env, Subprog } from '../env.ts';
import { callSummary } from './call_summary.ts';
import { isHelperCall, isKfuncCall, subprogEnd } from './subprogs.ts';

/**
 * Compilers surround calls that spare registers with spills and fills that an older kernel needs; the kernel drops them, and with
 * them the stack they use. Source: mark_fastcall_patterns and around it, kernel/bpf/verifier.c.
 */

const STX_DW = 0x7b;
const LDX_DW = 0x79;
const CALL = 0x85;
const CALLER_SAVED = 0x3f;
const LOWEST = -0x8000;

/** Finds the longest run of matching spills and fills around the call at `index`. */
function markAroundCall(env: Env, sub: Subprog, index: number, lowest: number): void {
  const summary = callSummary(env, env.insn(index));
  if (!summary || summary.params < 0) return;
  const clobbered = ((1 << (summary.params + 1)) - 1) & (summary.isVoid ? ~1 : -1);
  let expected = ~clobbered & CALLER_SAVED;
  let off = lowest;
  let pairs = 0;
  for (let i = 1; i <= 6; i++, off += 8) {
    const spill = env.insns[index - i];
    const fill = env.insns[index + i];
    if (!spill || !fill || spill.code !== STX_DW || fill.code !== LDX_DW) break;
    if (spill.dst !== BPF_REG_FP || fill.src !== BPF_REG_FP || spill.src !== fill.dst) break;
    if (((1 << spill.src) & expected) === 0 || spill.off !== off || fill.off !== off) break;
    expected &= ~(1 << spill.src);
    env.facts.fastcallPattern[index - i] = 1;
    env.facts.fastcallPattern[index + i] = 1;
    pairs++;
  }
  if (pairs === 0) return;
  if (summary.fastcall) env.facts.fastcallSpills[index] = pairs;
  else sub.keepFastcallStack = true;
  sub.fastcallStackOff = Math.min(sub.fastcallStackOff, off);
}

/** Marks the patterns; they count only while nothing else uses their slots, see `checkFastcallStackContract`. */
export function markFastcallPatterns(env: Env): void {
  env.subprogs.forEach((sub, number) => {
    const end = subprogEnd(env, number);
    let lowest = 0;
    for (let index = sub.start; index < end; index++) {
      const insn = env.insn(index);
      if (insn.code === STX_DW && insn.dst === BPF_REG_FP) lowest = Math.min(lowest, insn.off);
    }
    for (let index = sub.start; index < end; index++) {
      const insn = env.insn(index);
      if (insn.code === CALL && (isHelperCall(insn) || isKfuncCall(insn))) markAroundCall(env, sub, index, lowest);
    }
  });
}

/** An access to the slots of the patterns by anything else ends them for the whole function. */
export function checkFastcallStackContract(env: Env, frameno: number, insnIdx: number, off: number): void {
  const { subprogno } = env.cur.frame(frameno);
  const sub = env.subprogs[subprogno] as Subprog;
  const { facts } = env;
  if (sub.fastcallStackOff <= off || facts.fastcallPattern[insnIdx] !== 0) return;
  sub.fastcallStackOff = LOWEST;
  const end = subprogEnd(env, subprogno);
  facts.fastcallSpills.fill(0, sub.start, end);
  facts.fastcallPattern.fill(0, sub.start, end);
}

/** Functions without other use of the slots lose them from their stack depth (remove_fastcall_spills_fills). */
export function removeFastcallSpillsFills(env: Env): void {
  env.subprogs.forEach((sub, number) => {
    const end = subprogEnd(env, number);
    let modified = false;
    for (let index = sub.start; index < end; index++) modified ||= env.facts.fastcallSpills[index] !== 0;
    if (modified && !sub.keepFastcallStack) sub.stackDepth = -sub.fastcallStackOff;
  });
}
