import { describe, expect, test } from 'vitest';
import type { Env } from '../../../src/verifier/env.ts';
import {
  commitStackWriteMarks,
  liveStackQueryInit,
  markStackRead,
  markStackWrite,
  resetLiveStackCallchain,
  resetStackWriteMarks,
  stackSlotAlive,
  updateLiveStack,
} from '../../../src/verifier/prune/liveness.ts';
import {
  addK,
  bench,
  callHelper,
  callSubprog,
  enter,
  exit,
  HELPER_PLAIN,
  jgtK,
  load,
  movK,
  movX,
  store,
  storeImm,
} from './fixture.ts';

/** Slots of the current frame that one instruction reads and surely writes. */
const step = (env: Env, at: number, reads: number, writes: number, frameno = env.cur.curframe): void => {
  resetStackWriteMarks(env, at);
  if (reads !== 0) markStackRead(env, frameno, at, reads, 0);
  if (writes !== 0) markStackWrite(env, frameno, writes, 0);
  commitStackWriteMarks(env);
};

/** Slots up to `count` that are alive in a frame when the current state stands at an instruction. */
const alive = (env: Env, insnIdx: number, frameno = 0, count = 4): number[] => {
  env.cur.insnIdx = insnIdx;
  liveStackQueryInit(env, env.cur);
  return [...Array(count).keys()].filter((spi) => stackSlotAlive(env, frameno, spi));
};

describe('one function', () => {
  // log lines as Linux 6.18.44 prints them for this program
  test('a read makes a slot live, a write behind it does not', () => {
    const { env, log } = bench([load(1, 10, -8), load(2, 10, -24), store(10, 1, -8), movK(0, 0), exit()], { level: 2 });
    step(env, 0, 0b001, 0);
    step(env, 1, 0b100, 0);
    step(env, 2, 0, 0b001);
    step(env, 3, 0, 0);
    step(env, 4, 0, 0);
    updateLiveStack(env);
    expect(log()).toBe(
      [
        '(0) frame 0 insn 2 +written -8 ',
        '(0) frame 0 insn 1 +live -24 ',
        '(0) frame 0 insn 1 +written -8 ',
        '(0) frame 0 insn 0 +live -8,-24 ',
        '(0) frame 0 insn 0 +written -8 ',
        '(0) live stack update done in 2 iterations',
        '',
      ].join('\n'),
    );
    expect(alive(env, 0)).toEqual([0, 2]);
    expect(alive(env, 1)).toEqual([2]);
    expect(alive(env, 2)).toEqual([]);
  });

  // 0: call   1: if r0 > 42 goto 5   2: load -8   3: store -32   4: exit   5: load -16   6: store -32   7: exit
  const join = [
    callHelper(HELPER_PLAIN),
    jgtK(0, 42, 3),
    load(0, 10, -8),
    store(10, 0, -32),
    exit(),
    load(0, 10, -16),
    store(10, 0, -32),
    exit(),
  ];

  test('only what both branches write is written', () => {
    const { env, log } = bench(join, { level: 2 });
    env.facts.prunePoint[1] = 1;
    step(env, 2, 0b0001, 0);
    step(env, 3, 0, 0b1000);
    updateLiveStack(env);
    expect(log()).not.toContain('insn 1 +written');
    step(env, 5, 0b0010, 0);
    step(env, 6, 0, 0b1000);
    updateLiveStack(env);
    const second = log();
    expect(second).toContain('(0) frame 0 insn 1 +live -16 \n');
    expect(second).toContain('(0) frame 0 insn 1 +written -32 \n');
    expect(alive(env, 1)).toEqual([0, 1]);
  });

  test('a slot that only some visits write counts as not written', () => {
    const { env } = bench([storeImm(1, 0, 7), load(0, 10, -8), exit()]);
    step(env, 0, 0, 0b01);
    step(env, 1, 0b01, 0);
    updateLiveStack(env);
    expect(alive(env, 0)).toEqual([]);
    step(env, 0, 0, 0b10);
    updateLiveStack(env);
    expect(alive(env, 0)).toEqual([0]);
  });

  test('nothing new needs no update', () => {
    const { env, log } = bench([load(1, 10, -8), exit()], { level: 2 });
    step(env, 0, 1, 0);
    updateLiveStack(env);
    expect(log()).toContain('update done');
    step(env, 0, 1, 0);
    updateLiveStack(env);
    expect(log()).toBe('');
  });

  test('loops reach a fixed point', () => {
    // 0: mov   1: load -8   2: if r1 > 0 goto 1   3: exit
    const { env } = bench([movK(1, 0), load(1, 10, -8), jgtK(1, 0, -2), exit()]);
    step(env, 1, 1, 0);
    updateLiveStack(env);
    expect(alive(env, 2)).toEqual([0]);
    expect(alive(env, 3)).toEqual([]);
  });

  test('slots beyond the 32nd', () => {
    const { env, log } = bench([load(1, 10, -512), exit()], { level: 2 });
    resetStackWriteMarks(env, 0);
    markStackRead(env, 0, 0, 0, 1 << 31);
    commitStackWriteMarks(env);
    updateLiveStack(env);
    expect(log()).toContain('(0) frame 0 insn 0 +live -512 \n');
    expect(alive(env, 0, 0, 64)).toEqual([63]);
  });
});

describe('called functions', () => {
  // 0: r1 = r10   1: r1 += -8   2: call 4   3: exit   4: *(r1) = 7   5: r0 = 0   6: exit
  const program = [movX(1, 10), addK(1, -8), callSubprog(1), exit(), storeImm(1, 0, 7), movK(0, 0), exit()];

  // log lines as Linux 6.18.44 prints them for this program
  test('what a function surely writes of its caller is written by the call', () => {
    const { env, log } = bench(program, { level: 2, subprogs: [0, 4] });
    for (const at of [0, 1]) step(env, at, 0, 0);
    resetStackWriteMarks(env, 2);
    enter(env.cur, 2, 1);
    resetLiveStackCallchain(env);
    commitStackWriteMarks(env);
    step(env, 4, 0, 1, 0);
    for (const at of [5, 6]) step(env, at, 0, 0);
    updateLiveStack(env);
    expect(log()).toBe(
      [
        '(2,4) frame 0 insn 4 +written -8 ',
        '(2,4) live stack update done in 2 iterations',
        '(0) frame 0 insn 2 +written -8 ',
        '(0) frame 0 insn 0 +written -8 ',
        '(0) live stack update done in 2 iterations',
        '',
      ].join('\n'),
    );
  });

  test('a slot that the caller reads after the call is alive in the function', () => {
    // 0: call 3   1: load -8   2: exit   3: r0 = 0   4: exit
    const { env } = bench([callSubprog(2), load(0, 10, -8), exit(), movK(0, 0), exit()], { subprogs: [0, 3] });
    step(env, 1, 1, 0);
    enter(env.cur, 0, 1);
    resetLiveStackCallchain(env);
    step(env, 3, 0, 0);
    updateLiveStack(env);
    expect(alive(env, 3)).toEqual([0]);
    expect(alive(env, 3, 1)).toEqual([]);
  });

  test('what a callback may read at its next turn is alive', () => {
    // 0: call helper with callback   1: exit   2: load   3: exit
    const { env } = bench([callHelper(HELPER_PLAIN), exit(), load(0, 1, 0), exit()], { subprogs: [0, 2] });
    env.facts.callsCallback[0] = 1;
    enter(env.cur, 0, 1);
    step(env, 2, 1, 0, 0);
    updateLiveStack(env);
    expect(alive(env, 3)).toEqual([0]);
    env.facts.callsCallback[0] = 0;
    expect(alive(env, 3)).toEqual([]);
  });

  test('chains of calls are told apart', () => {
    // 0: call 3   1: call 3   2: exit   3: load   4: exit
    const { env } = bench([callSubprog(2), callSubprog(1), exit(), load(0, 1, 0), exit()], { subprogs: [0, 3] });
    enter(env.cur, 0, 1);
    step(env, 3, 1, 0, 0);
    updateLiveStack(env);
    expect(alive(env, 3)).toEqual([0]);
    env.cur.curframe = 0;
    enter(env.cur, 1, 1);
    resetLiveStackCallchain(env);
    expect(alive(env, 3)).toEqual([]);
  });
});
