import type { Env } from '../env.ts';
import type { HistoryEntry, LinkedReg, State } from '../state/state.ts';

/** A record has room for that many linked registers (LINKED_REGS_MAX, kernel/bpf/verifier.c). */
export const LINKED_REGS_MAX = 6;

/**
 * Records what precision tracking must know about the current instruction on its way back: that it was jumped to, which stack
 * slot it touched (`flags`), which registers it refined together. An instruction that recorded something already gets it merged.
 * Source: push_jmp_history, kernel/bpf/verifier.c.
 */
export function pushHistory(env: Env, state: State, flags: number, linkedRegs: readonly LinkedReg[] | null): void {
  const recorded = env.curHistory;
  if (recorded) {
    const common = recorded.flags & flags;
    if (common !== 0 && common !== flags)
      env.bug(`insn history: insn_idx ${env.insnIdx} cur flags ${recorded.flags.toString(16)} new flags ${flags.toString(16)}`);
    if (recorded.linkedRegs) env.bug(`insn history: insn_idx ${env.insnIdx} linked_regs`);
    if (common === flags && linkedRegs === null) return;
    // The record may stand in a copy of the state that an earlier push made: replace it instead of writing to it.
    const merged: HistoryEntry = { idx: recorded.idx, prevIdx: recorded.prevIdx, flags: recorded.flags | flags, linkedRegs };
    state.history[state.history.length - 1] = merged;
    env.curHistory = merged;
    return;
  }
  const entry: HistoryEntry = { idx: env.insnIdx, prevIdx: env.prevInsnIdx, flags, linkedRegs };
  state.history.push(entry);
  env.curHistory = entry;
}

/** The record of instruction `insnIdx` when it is the one before position `end`. Source: get_jmp_hist_entry. */
export const historyEntryAt = (state: State, end: number, insnIdx: number): HistoryEntry | null => {
  if (end <= 0) return null;
  const entry = state.history[end - 1] as HistoryEntry;
  return entry.idx === insnIdx ? entry : null;
};
