import { expect, test } from 'vitest';
import {
  markAllScalarsImprecise,
  markAllScalarsPrecise,
  markChainPrecision,
  markSlotChainPrecision,
  propagatePrecision,
} from '../../../src/verifier/prune/precision.ts';
import { pointerReg, UNKNOWN_REG } from '../../../src/verifier/state/reg.ts';
import { PTR_TO_CTX } from '../../../src/verifier/state/reg_types.ts';
import { fullSlot, STACK_SPILL } from '../../../src/verifier/state/stack_slot.ts';
import { INSN_F_STACK_ACCESS, State } from '../../../src/verifier/state/state.ts';
import {
  addX,
  type Bench,
  bench,
  callHelper,
  constReg,
  exit,
  HELPER_PLAIN,
  ja,
  load,
  movK,
  movX,
  type Options,
  store,
} from './fixture.ts';

/** Stores a copy of the current state at `insnIdx`, as a checkpoint. */
const checkpoint = (env: Bench['env'], insnIdx: number): State => {
  const stored = env.cur.copy();
  stored.insnIdx = insnIdx;
  stored.lastInsnIdx = insnIdx - 1;
  env.cur.parent = stored;
  env.cur.firstInsnIdx = insnIdx;
  env.cur.history = [];
  return stored;
};

// 0: call   1: r6 = r0   2: r1 = r6   3: r2 += r1   4: exit
const program = [callHelper(HELPER_PLAIN), movX(6, 0), movX(1, 6), addX(2, 1), exit()];

const twoCheckpoints = (options: Options = {}) => {
  const made = bench(program, { level: 2, ...options });
  const { env } = made;
  const first = checkpoint(env, 0);
  env.cur.writableTop().setReg(0, UNKNOWN_REG);
  env.cur.writableTop().setReg(6, UNKNOWN_REG);
  const second = checkpoint(env, 2);
  env.cur.writableTop().setReg(1, UNKNOWN_REG);
  env.cur.insnIdx = 3;
  return { ...made, first, second };
};

test('the wish goes back to where the value was made, and marks the states on the way', () => {
  const { env, log, first, second } = twoCheckpoints();
  markChainPrecision(env, 1);
  expect(second.top.preciseRegs).toBe(1 << 6);
  expect(first.top.preciseRegs).toBe(0);
  expect(env.cur.top.preciseRegs).toBe(0);
  expect(log()).toBe(
    [
      'mark_precise: frame0: last_idx 3 first_idx 2 subseq_idx -1 ',
      'mark_precise: frame0: regs=r1 stack= before 2: (bf) r1 = r6',
      'mark_precise: frame0: parent state regs=r6 stack=:  R0=scalar() R6=Pscalar() R10=fp0',
      'mark_precise: frame0: last_idx 1 first_idx 0 subseq_idx 2 ',
      'mark_precise: frame0: regs=r6 stack= before 1: (bf) r6 = r0',
      'mark_precise: frame0: regs=r0 stack= before 0: (85) call bpf_get_prandom_u32#7',
      '',
    ].join('\n'),
  );
});

test('a mark does not show in states that share the frame', () => {
  const { env, second } = twoCheckpoints();
  const sharer = second.copy();
  expect(sharer.top).toBe(second.top);
  markChainPrecision(env, 1);
  expect(sharer.top.preciseRegs).toBe(0);
  expect(second.top.isPreciseReg(6)).toBe(true);
});

test('a register that is marked already is followed no further', () => {
  const { env, log, second } = twoCheckpoints();
  second.writableTop().markReg(6, true);
  markChainPrecision(env, 1);
  expect(log()).toContain('parent state regs= stack=:');
  expect(log()).not.toContain('last_idx 1 first_idx 0');
});

test('a pointer needs no precision', () => {
  const { env, second } = twoCheckpoints();
  second.writableTop().setReg(6, pointerReg(PTR_TO_CTX));
  markChainPrecision(env, 1);
  expect(second.top.preciseRegs).toBe(0);
});

test('a slot that a state on the way does not have is refused in the words of the kernel', () => {
  // a search of Linux 6.18.44 that follows a slot into a state from before the stack grew ends with this line and EFAULT
  const { env } = twoCheckpoints();
  env.cur.writableTop().growStack(16);
  expect(() => markSlotChainPrecision(env, 0, 1)).toThrow(
    'verifier bug: stack slot 1, total slots 0 (i >= func->allocated_stack / BPF_REG_SIZE)',
  );
});

test('only scalars can be asked for', () => {
  const { env } = twoCheckpoints();
  expect(() => markChainPrecision(env, 10)).toThrow('backtracking misuse');
});

test('without CAP_BPF everything is precise and nothing is searched', () => {
  const { env, log, second } = twoCheckpoints({ privileged: false });
  markChainPrecision(env, 1);
  expect(second.top.preciseRegs).toBe(0);
  expect(log()).toBe('');
});

test('spills and fills lead through the stack', () => {
  // 0: r6 = 5   1: spill r6   2: fill r1   3: r2 += r1   4: exit
  const { env, log } = bench([movK(6, 5), store(10, 6, -8), load(1, 10, -8), addX(2, 1), exit()], { level: 2 });
  checkpoint(env, 0);
  const frame = env.cur.writableTop();
  frame.setReg(6, constReg(5));
  frame.growStack(8);
  frame.setSlot(0, fullSlot(STACK_SPILL, constReg(5)));
  const stored = checkpoint(env, 2);
  stored.history = [{ idx: 1, prevIdx: 0, flags: INSN_F_STACK_ACCESS, linkedRegs: null }];
  env.cur.writableTop().setReg(1, constReg(5));
  env.cur.history = [{ idx: 2, prevIdx: 1, flags: INSN_F_STACK_ACCESS, linkedRegs: null }];
  env.cur.insnIdx = 3;
  markChainPrecision(env, 1);
  expect(stored.top.isPreciseSlot(0)).toBe(true);
  expect(log()).toContain('parent state regs= stack=-8:  R6=5 R10=fp0 fp-8=P5\n');
});

test('a spilled scalar can be asked for by its slot', () => {
  const { env } = bench([movK(6, 5), store(10, 6, -8), exit()]);
  const frame = env.cur.writableTop();
  frame.growStack(8);
  frame.setSlot(0, fullSlot(STACK_SPILL, constReg(5)));
  const stored = checkpoint(env, 2);
  stored.history = [{ idx: 1, prevIdx: 0, flags: INSN_F_STACK_ACCESS, linkedRegs: null }];
  env.cur.insnIdx = 2;
  markSlotChainPrecision(env, 0, 0);
  expect(stored.top.isPreciseSlot(0)).toBe(true);
});

test('jumps are followed backwards by the history', () => {
  // 0: r1 = 1   1: goto 3   2: r1 = 2   3: r2 += r1   4: exit
  const { env, log } = bench([movK(1, 1), ja(1), movK(1, 2), addX(2, 1), exit()], { level: 2 });
  env.cur.top.setReg(1, constReg(1));
  env.cur.history = [{ idx: 3, prevIdx: 1, flags: 0, linkedRegs: null }];
  env.cur.insnIdx = 3;
  markChainPrecision(env, 1);
  expect(log()).toBe(
    [
      'mark_precise: frame0: last_idx 3 first_idx 0 subseq_idx -1 ',
      'mark_precise: frame0: regs=r1 stack= before 1: (05) goto pc+1',
      'mark_precise: frame0: regs=r1 stack= before 0: (b7) r1 = 1',
      '',
    ].join('\n'),
  );
});

test('where the way back is lost every scalar becomes precise', () => {
  const { env, log, first, second } = twoCheckpoints();
  first.writableTop().setReg(7, constReg(3));
  second.writableTop().growStack(8);
  second.writableTop().setSlot(0, fullSlot(STACK_SPILL, constReg(5)));
  markAllScalarsPrecise(env, env.cur);
  expect(log()).toBe(
    [
      'mark_precise: frame0: falling back to forcing all scalars precise',
      'force_precise: frame0: forcing r0 to be precise',
      'force_precise: frame0: forcing r6 to be precise',
      'force_precise: frame0: forcing fp-8 to be precise',
      'force_precise: frame0: forcing r7 to be precise',
      '',
    ].join('\n'),
  );
  expect(second.top.isPreciseSlot(0)).toBe(true);
  expect(env.cur.top.preciseRegs).toBe(0);
});

test('a wish that reaches the start of the program unfulfilled forces all scalars', () => {
  const { env, log } = bench([addX(2, 1), exit()], { level: 2 });
  const first = checkpoint(env, 0);
  first.writableTop().setReg(5, constReg(1));
  first.writableTop().setReg(1, UNKNOWN_REG);
  first.lastInsnIdx = 0;
  env.cur.writableTop().setReg(1, UNKNOWN_REG);
  markChainPrecision(env, 1);
  expect(log()).toContain('falling back to forcing all scalars precise');
  expect(first.top.isPreciseReg(5)).toBe(true);
});

test('a global function may be asked for its arguments', () => {
  const { env, log } = bench([exit(), addX(2, 1), exit()], { level: 2, subprogs: [0, 1] });
  env.cur.frames[0]!.subprogno = 1;
  env.cur.firstInsnIdx = 1;
  env.cur.writableTop().setReg(1, UNKNOWN_REG);
  const entry = checkpoint(env, 1);
  entry.lastInsnIdx = -1;
  env.cur.insnIdx = 1;
  markChainPrecision(env, 1);
  expect(entry.top.isPreciseReg(1)).toBe(true);
  expect(log()).toMatch(/last_idx -1 first_idx 1 subseq_idx 1 \n$/);
});

test('what a covering state relied on is marked before the covered one', () => {
  const { env, log, second } = twoCheckpoints();
  const old = env.cur.copy();
  old.writableTop().markReg(6, true);
  env.cur.insnIdx = 3;
  expect(propagatePrecision(env, old, env.cur)).toBe(true);
  expect(second.top.isPreciseReg(6)).toBe(true);
  expect(log()).toContain('frame 0: propagating r6\n');
  expect(propagatePrecision(env, old, env.cur)).toBe(false);
});

test('registers and slots are listed together', () => {
  const { env, log } = bench([movK(0, 0), exit()], { level: 2 });
  const old = new State();
  const frame = env.cur.top.clone();
  frame.setRegPrecise(1, UNKNOWN_REG, true);
  frame.setRegPrecise(3, UNKNOWN_REG, true);
  frame.growStack(16);
  frame.setSlot(1, fullSlot(STACK_SPILL, UNKNOWN_REG));
  frame.markSlot(1, true);
  old.frames[0] = frame;
  propagatePrecision(env, old, env.cur);
  expect(log()).toContain('frame 0: propagating r1,r3,fp-16\n');
});

test('below level 2 only the end of that line is printed', () => {
  const { env, log, first } = twoCheckpoints({ level: 1 });
  first.writableTop().setRegPrecise(6, UNKNOWN_REG, true);
  propagatePrecision(env, first, env.cur);
  expect(log()).toBe('\n');
});

test('a stored state starts without marks', () => {
  const { second } = twoCheckpoints();
  const sharer = second.copy();
  second.writableTop().markReg(6, true);
  const marked = second.copy();
  markAllScalarsImprecise(marked);
  expect(marked.top.preciseRegs).toBe(0);
  expect(second.top.isPreciseReg(6)).toBe(true);
  markAllScalarsImprecise(sharer);
  expect(sharer.top).not.toBe(second.top);
});
