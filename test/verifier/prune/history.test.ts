import { expect, test } from 'vitest';
import { historyEntryAt, pushHistory } from '../../../src/verifier/prune/history.ts';
import { INSN_F_DST_REG_STACK, INSN_F_SRC_REG_STACK, INSN_F_STACK_ACCESS } from '../../../src/verifier/state/state.ts';
import { bench, exit, movK } from './fixture.ts';

const start = () => {
  const { env } = bench([movK(0, 0), movK(0, 1), exit()]);
  env.insnIdx = 1;
  env.prevInsnIdx = 0;
  return env;
};

test('an instruction makes one record, whatever it records', () => {
  const env = start();
  pushHistory(env, env.cur, INSN_F_SRC_REG_STACK, null);
  pushHistory(env, env.cur, INSN_F_DST_REG_STACK, null);
  expect(env.cur.history).toEqual([{ idx: 1, prevIdx: 0, flags: INSN_F_SRC_REG_STACK | INSN_F_DST_REG_STACK, linkedRegs: null }]);
  expect(env.curHistory).toBe(env.cur.history[0]);
});

test('linked registers join the record of a jump', () => {
  const env = start();
  const linked = [
    { frameno: 0, index: 1, isReg: true },
    { frameno: 0, index: 2, isReg: true },
  ];
  pushHistory(env, env.cur, 0, null);
  pushHistory(env, env.cur, 0, linked);
  expect(env.cur.history).toEqual([{ idx: 1, prevIdx: 0, flags: 0, linkedRegs: linked }]);
});

test('what joins a record later does not show in a copy made before', () => {
  const env = start();
  pushHistory(env, env.cur, INSN_F_SRC_REG_STACK, null);
  const copy = env.cur.copy();
  pushHistory(env, env.cur, INSN_F_DST_REG_STACK, null);
  expect(copy.history[0]?.flags).toBe(INSN_F_SRC_REG_STACK);
  expect(env.cur.history[0]?.flags).toBe(INSN_F_SRC_REG_STACK | INSN_F_DST_REG_STACK);
});

test('flags that contradict the record are a bug', () => {
  const env = start();
  pushHistory(env, env.cur, INSN_F_STACK_ACCESS | (1 << 3), null);
  expect(() => pushHistory(env, env.cur, INSN_F_STACK_ACCESS | (2 << 3), null)).toThrow('insn history: insn_idx 1');
});

test('the record before a position counts when it is that instruction', () => {
  const env = start();
  pushHistory(env, env.cur, 0, null);
  expect(historyEntryAt(env.cur, 1, 1)).toBe(env.cur.history[0]);
  expect(historyEntryAt(env.cur, 1, 2)).toBeNull();
  expect(historyEntryAt(env.cur, 0, 1)).toBeNull();
});
