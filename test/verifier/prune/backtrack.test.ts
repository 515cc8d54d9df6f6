import { describe, expect, test } from 'vitest';
import type { Insn } from '../../../src/isa/insn.ts';
import { insn } from '../../../src/isa/insn.ts';
import { Backtrack, backtrackInsn } from '../../../src/verifier/prune/backtrack.ts';
import { regMaskText, stackMaskText } from '../../../src/verifier/prune/format.ts';
import {
  type HistoryEntry,
  INSN_F_DST_REG_STACK,
  INSN_F_SPI_SHIFT,
  INSN_F_SRC_REG_STACK,
  INSN_F_STACK_ACCESS,
  type LinkedReg,
} from '../../../src/verifier/state/state.ts';
import {
  addK,
  addX,
  bench,
  callHelper,
  callKfunc,
  callSubprog,
  exit,
  HELPER_PLAIN,
  HELPER_TAIL_CALL,
  ja,
  jgtK,
  jgtX,
  load,
  movK,
  movX,
  neg,
  store,
  storeImm,
} from './fixture.ts';

interface Wish {
  readonly regs?: readonly number[];
  /** slot numbers */
  readonly slots?: readonly number[];
}

const wishing = (wish: Wish, frame = 0): Backtrack => {
  const bt = new Backtrack();
  bt.frame = frame;
  for (const regno of wish.regs ?? []) bt.setReg(regno);
  for (const spi of wish.slots ?? []) bt.setSlot(frame, spi);
  return bt;
};

const shown = (bt: Backtrack, frame = bt.frame): string =>
  `${regMaskText(bt.regs[frame]!)}|${stackMaskText(bt.slotsLo[frame]!, bt.slotsHi[frame]!)}`;

const entry = (flags: number, linkedRegs: readonly LinkedReg[] | null = null): HistoryEntry => ({
  idx: 0,
  prevIdx: 0,
  flags,
  linkedRegs,
});
const stackAt = (spi: number, frameno = 0): HistoryEntry => entry(INSN_F_STACK_ACCESS | (spi << INSN_F_SPI_SHIFT) | frameno);
const reg = (index: number, frameno = 0): LinkedReg => ({ frameno, index, isReg: true });
const slot = (index: number, frameno = 0): LinkedReg => ({ frameno, index, isReg: false });

const loadAcquire = (dst: number, src: number): Insn => insn(0xdb, dst, src, -8, 0x100);
const atomicFetchAdd = (dst: number, src: number): Insn => insn(0xdb, dst, src, -8, 0x01);
const bswap = (dst: number): Insn => insn(0xdc, dst, 0, 0, 16);
const ldImm64 = (dst: number): Insn => insn(0x18, dst, 0, 0, 5);
const ldAbs = (): Insn => insn(0x20, 0, 0, 0, 0);

describe('straight instructions', () => {
  type Row = [rule: string, insn: Insn, history: HistoryEntry | null, before: Wish, after: string];
  const rows: Row[] = [
    ['mov takes the wish to its source', movX(1, 2), null, { regs: [1] }, 'r2|'],
    ['mov to another register', movX(1, 2), null, { regs: [3] }, 'r3|'],
    ['mov of a constant fulfils it', movK(1, 5), null, { regs: [1] }, '|'],
    ['mov of the frame pointer fulfils it', movX(1, 10), null, { regs: [1] }, '|'],
    ['sum of two registers', addX(1, 2), null, { regs: [1] }, 'r1,r2|'],
    ['sum with the frame pointer', addX(1, 10), null, { regs: [1] }, 'r1|'],
    ['sum with a constant', addK(1, 2), null, { regs: [1] }, 'r1|'],
    ['negation', neg(1), null, { regs: [1] }, 'r1|'],
    ['byte swap with a source bit', bswap(1), null, { regs: [1] }, 'r1|'],
    ['fill', load(1, 10, -16), stackAt(1), { regs: [1] }, '|-16'],
    ['fill from an outer frame', load(1, 2, 0), stackAt(3, 0), { regs: [1] }, '|-32'],
    ['fill from a high slot', load(1, 10, -512), stackAt(63), { regs: [1] }, '|-512'],
    ['load from elsewhere', load(1, 2, 0), null, { regs: [1] }, '|'],
    ['load of another register', load(1, 10, -8), stackAt(0), { regs: [2] }, 'r2|'],
    ['load-acquire from the stack', loadAcquire(1, 10), stackAt(0), { regs: [1] }, '|-8'],
    ['spill', store(10, 3, -8), stackAt(0), { slots: [0] }, 'r3|'],
    ['spill to another slot', store(10, 3, -8), stackAt(0), { slots: [1] }, '|-16'],
    ['store of a constant', storeImm(10, -8, 1), stackAt(0), { slots: [0] }, '|'],
    ['store elsewhere', store(1, 3, 0), null, { slots: [0] }, '|-8'],
    ['atomic on a wanted slot', atomicFetchAdd(10, 3), stackAt(0), { slots: [0] }, 'r3|'],
    ['64-bit constant', ldImm64(1), null, { regs: [1, 2] }, 'r2|'],
    ['packet load of another register', ldAbs(), null, { regs: [6] }, 'r6|'],
    ['second slot of a 64-bit constant', insn(0, 0, 0, 0, 0), null, { regs: [0] }, 'r0|'],
    ['jump', ja(0), null, { regs: [1] }, 'r1|'],
    ['comparison with a constant', jgtK(1, 5, 0), null, { regs: [1] }, 'r1|'],
    ['comparison of registers', jgtX(1, 2, 0), null, { regs: [2] }, 'r1,r2|'],
    ['comparison with unwanted registers', jgtX(1, 2, 0), null, { regs: [3] }, 'r3|'],
    ['comparison with a stack pointer right', jgtX(1, 2, 0), entry(INSN_F_SRC_REG_STACK), { regs: [1] }, 'r1|'],
    ['comparison with a stack pointer left', jgtX(1, 2, 0), entry(INSN_F_DST_REG_STACK), { regs: [2] }, 'r2|'],
    ['linked registers are wanted together', jgtK(1, 5, 0), entry(0, [reg(1), reg(3), slot(2)]), { regs: [3] }, 'r1,r3|-24'],
    ['linked slots are wanted together', jgtK(1, 5, 0), entry(0, [reg(1), slot(40)]), { slots: [40] }, 'r1|-328'],
    ['links of unwanted registers', jgtK(1, 5, 0), entry(0, [reg(1), reg(3)]), { regs: [2] }, 'r2|'],
    ['links of what a comparison makes wanted', jgtX(1, 2, 0), entry(0, [reg(1), reg(4)]), { regs: [2] }, 'r1,r2,r4|'],
    ['helper call makes R0', callHelper(HELPER_PLAIN), null, { regs: [0, 6] }, 'r6|'],
    ['kfunc call makes R0', callKfunc(99), null, { regs: [0, 7], slots: [2] }, 'r7|-24'],
  ];
  test.each(rows)('%s', (_rule, tested, history, before, after) => {
    const { env } = bench([tested, movK(0, 0), exit()]);
    const bt = wishing(before);
    expect(backtrackInsn(env, 0, 1, history, bt)).toBe(true);
    expect(shown(bt)).toBe(after);
  });
});

describe('where precision cannot be followed', () => {
  test.each<[string, Insn, Wish]>([
    ['store through a wanted register', store(1, 2, 0), { regs: [1] }],
    ['constant store through a wanted register', storeImm(1, 0, 0), { regs: [1] }],
    ['packet load', ldAbs(), { regs: [0] }],
    ['kfunc that does not exist', callKfunc(0), { regs: [0] }],
  ])('%s', (_rule, tested, before) => {
    const { env } = bench([tested, exit()]);
    expect(backtrackInsn(env, 0, 1, null, wishing(before))).toBe(false);
  });
});

describe('calls', () => {
  // 0: call 2   1: exit   2: mov   3: exit
  const program = [callSubprog(1), exit(), movX(0, 1), exit()];

  test('an exit leads into the called function and takes R0 along', () => {
    const { env } = bench(program, { subprogs: [0, 2] });
    const bt = wishing({ regs: [0, 6] });
    expect(backtrackInsn(env, 3, 1, null, bt)).toBe(true);
    expect(bt.frame).toBe(1);
    expect(shown(bt)).toBe('r0|');
    expect(shown(bt, 0)).toBe('r6|');
  });

  test('the call of a static function leads out and takes arguments along', () => {
    const { env } = bench(program, { subprogs: [0, 2] });
    const bt = wishing({ regs: [1, 5] }, 1);
    bt.setFrameReg(0, 6);
    expect(backtrackInsn(env, 0, 2, null, bt)).toBe(true);
    expect(bt.frame).toBe(0);
    expect(shown(bt)).toBe('r1,r5,r6|');
    expect(shown(bt, 1)).toBe('|');
  });

  test('the call of a global function makes R0', () => {
    const { env } = bench(program, { subprogs: [0, 2] });
    env.subprogs[1]!.isGlobal = true;
    const bt = wishing({ regs: [0, 6] });
    expect(backtrackInsn(env, 0, 1, null, bt)).toBe(true);
    expect(shown(bt)).toBe('r6|');
  });

  test.each<[string, Wish]>([
    ['a callee-saved register', { regs: [6] }],
    ['a slot', { slots: [0] }],
  ])('%s of a function is not wanted at its entry', (_rule, wish) => {
    const { env } = bench(program, { subprogs: [0, 2] });
    expect(() => backtrackInsn(env, 0, 2, null, wishing(wish, 1))).toThrow('static subprog');
  });

  test('arguments are not wanted behind a helper call', () => {
    const { env } = bench([callHelper(HELPER_PLAIN), exit()]);
    expect(() => backtrackInsn(env, 0, 1, null, wishing({ regs: [2] }))).toThrow('backtracking call unexpected regs 4');
  });

  test('an exit of a callback does not make R0 wanted there', () => {
    // 0: call helper with callback   1: exit   2: mov   3: exit
    const { env } = bench([callHelper(HELPER_PLAIN), exit(), movX(0, 1), exit()], { subprogs: [0, 2] });
    env.facts.callsCallback[0] = 1;
    const bt = wishing({ regs: [1, 6] });
    expect(backtrackInsn(env, 3, 0, null, bt)).toBe(true);
    expect(bt.frame).toBe(1);
    expect(shown(bt)).toBe('|');
    expect(shown(bt, 0)).toBe('r6|');
  });

  test('the entry of a callback leads to the call that runs it', () => {
    const { env } = bench([callHelper(HELPER_PLAIN), exit(), movX(0, 1), exit()], { subprogs: [0, 2] });
    env.facts.callsCallback[0] = 1;
    const bt = wishing({ regs: [1, 2] }, 1);
    expect(backtrackInsn(env, 0, 2, null, bt)).toBe(true);
    expect(bt.frame).toBe(0);
    expect(shown(bt)).toBe('|');
  });

  test('a tail call whose successor is elsewhere left a function', () => {
    const { env } = bench([callHelper(HELPER_TAIL_CALL), exit(), exit()]);
    const bt = wishing({ regs: [6] });
    backtrackInsn(env, 0, 1, null, bt);
    expect(bt.frame).toBe(0);
    backtrackInsn(env, 0, 2, null, bt);
    expect(bt.frame).toBe(1);
  });

  test('there is no function around the first', () => {
    const { env } = bench(program, { subprogs: [0, 2] });
    expect(() => backtrackInsn(env, 0, 2, null, wishing({ regs: [1] }, 0))).toThrow('subprog exit from frame 0');
  });
});

test('a step is logged with what is wanted after it', () => {
  const { env, log } = bench([movX(1, 2), exit()], { level: 2 });
  backtrackInsn(env, 0, 1, null, wishing({ regs: [1], slots: [0, 2] }));
  expect(log()).toBe('mark_precise: frame0: regs=r1 stack=-8,-24 before 0: (bf) r1 = r2\n');
});
