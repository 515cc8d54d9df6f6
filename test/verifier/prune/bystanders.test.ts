import { describe, expect, test } from 'vitest';
import { BPF_CALL, BPF_EXIT, BPF_JMP, BPF_JMP32, BPF_LOAD_ACQ, classOf, opOf } from '../../../src/isa/constants.ts';
import { type Insn, insn } from '../../../src/isa/insn.ts';
import { Backtrack, backtrackInsn } from '../../../src/verifier/prune/backtrack.ts';
import { concernsOf, isBystander } from '../../../src/verifier/prune/bystanders.ts';
import {
  type HistoryEntry,
  INSN_F_DST_REG_STACK,
  INSN_F_SPI_SHIFT,
  INSN_F_SRC_REG_STACK,
  INSN_F_STACK_ACCESS,
} from '../../../src/verifier/state/state.ts';
import { addK, addX, bench, exit, load, movK, store } from './fixture.ts';

const DST = 1;
const SRC = 2;

const isCallOrExit = ({ code }: Insn): boolean =>
  (classOf(code) === BPF_JMP || classOf(code) === BPF_JMP32) && (opOf(code) === BPF_CALL || opOf(code) === BPF_EXIT);

/** Every code byte, and those that mean several things with what tells them apart. */
const INSNS: readonly Insn[] = [
  ...Array.from({ length: 256 }, (_, code) => insn(code, DST, SRC, 0, 0)),
  ...Array.from({ length: 256 }, (_, code) => insn(code, DST, SRC, 0, BPF_LOAD_ACQ)),
];

const record = (flags: number): HistoryEntry => ({ idx: 0, prevIdx: 0, flags, linkedRegs: null });

const RECORDS: readonly (HistoryEntry | null)[] = [
  null,
  record(0),
  record(INSN_F_STACK_ACCESS | (3 << INSN_F_SPI_SHIFT)),
  record(INSN_F_DST_REG_STACK),
  record(INSN_F_SRC_REG_STACK),
];

/** What is wanted: of the registers every mix of the two operands and another one, of the slots none or the one that is recorded. */
const WISHES = [0, 1 << DST, 1 << SRC, (1 << DST) | (1 << SRC), 1 << 7, (1 << 7) | (1 << DST)].flatMap((regs) =>
  [0, 1 << 3].map((slots) => ({ regs, slots })),
);

const wishing = ({ regs, slots }: (typeof WISHES)[number]): Backtrack => {
  const bt = new Backtrack();
  bt.regs[0] = regs;
  bt.slotsLo[0] = slots;
  return bt;
};

const masks = (bt: Backtrack): readonly number[] => [bt.frame, ...bt.regs, ...bt.slotsLo, ...bt.slotsHi];

describe('an instruction that is passed by', () => {
  const { env } = bench([...INSNS, exit()]);
  const concerns = concernsOf(env);

  test('would leave what is wanted as it is', () => {
    let passed = 0;
    const changed = new Set<number>();
    INSNS.forEach(({ code }, index) => {
      for (const entry of RECORDS)
        for (const wish of WISHES) {
          const bt = wishing(wish);
          if (!isBystander(concerns[index]!, bt, entry)) continue;
          passed++;
          const before = String(masks(bt));
          if (!backtrackInsn(env, index, index + 1, entry, bt) || String(masks(bt)) !== before) changed.add(code);
        }
    });
    expect([...changed]).toEqual([]);
    expect(passed).toBeGreaterThan(10_000);
  });

  test('is no call and no exit', () => {
    INSNS.forEach((one, index) => {
      if (isCallOrExit(one)) expect(isBystander(concerns[index]!, wishing({ regs: 0, slots: 0 }), null)).toBe(false);
    });
  });

  test('refined no registers together', () => {
    const { env: small } = bench([movK(1, 7), exit()]);
    const linked = { ...record(0), linkedRegs: [{ frameno: 0, index: 7, isReg: true }] };
    expect(isBystander(concernsOf(small)[0]!, wishing({ regs: 1 << 7, slots: 0 }), linked)).toBe(false);
    expect(isBystander(concernsOf(small)[0]!, wishing({ regs: 1 << 7, slots: 0 }), record(0))).toBe(true);
  });

  test('is a fill whose register is not wanted', () => {
    const { env: small } = bench([load(1, 10, -32), exit()]);
    const fill = record(INSN_F_STACK_ACCESS | (3 << INSN_F_SPI_SHIFT));
    expect(isBystander(concernsOf(small)[0]!, wishing({ regs: 1 << 7, slots: 0 }), fill)).toBe(true);
    expect(isBystander(concernsOf(small)[0]!, wishing({ regs: 1 << 1, slots: 0 }), fill)).toBe(false);
  });

  test('is a spill whose slot is not wanted', () => {
    const { env: small } = bench([store(10, 1, -32), exit()]);
    const spill = record(INSN_F_STACK_ACCESS | (3 << INSN_F_SPI_SHIFT));
    const passes = (slots: number): boolean => isBystander(concernsOf(small)[0]!, wishing({ regs: 1 << 7, slots }), spill);
    expect(passes(0)).toBe(true);
    expect(passes(1 << 2)).toBe(true);
    expect(passes(1 << 3)).toBe(false);
  });

  test('adds a constant', () => {
    const { env: small } = bench([addK(1, 8), addX(1, 2), exit()]);
    const passes = (index: number): boolean => isBystander(concernsOf(small)[index]!, wishing({ regs: 1 << 1, slots: 0 }), null);
    expect(passes(0)).toBe(true);
    expect(passes(1)).toBe(false);
  });
});
