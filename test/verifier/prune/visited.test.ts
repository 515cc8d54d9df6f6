import { describe, expect, test } from 'vitest';
import type { Env } from '../../../src/verifier/env.ts';
import { visitedOf } from '../../../src/verifier/prune/explored.ts';
import { markStackRead, updateLiveStack } from '../../../src/verifier/prune/liveness.ts';
import { cleanState, freeStates, isStateVisited, updateBranchCounts } from '../../../src/verifier/prune/visited.ts';
import { NOT_INIT_REG, pointerReg, stackPointerReg, UNKNOWN_REG, ZERO_REG } from '../../../src/verifier/state/reg.ts';
import { PTR_TO_CTX } from '../../../src/verifier/state/reg_types.ts';
import { fullSlot, INVALID_SLOT, MISC_SLOT, STACK_ITER, STACK_SPILL } from '../../../src/verifier/state/stack_slot.ts';
import type { State } from '../../../src/verifier/state/state.ts';
import {
  addK,
  bench,
  callHelper,
  constReg,
  entryState,
  exit,
  HELPER_PLAIN,
  ja,
  jgtK,
  load,
  mayGoto,
  movK,
  withFields,
} from './fixture.ts';

/** Stands at `insnIdx`, as the walk does before it asks. */
const arrive = (env: Env, insnIdx: number): void => {
  env.insnIdx = insnIdx;
  env.prevInsnIdx = insnIdx - 1;
  env.curHistory = null;
  env.cur.insnIdx = insnIdx;
  env.cur.lastInsnIdx = insnIdx - 1;
};

/** Enough happened since the last checkpoint to store the next state. */
const longAgo = (env: Env): void => {
  env.jmpsProcessed += 100;
  env.insnProcessed += 1000;
};

/** Ends the current path; the next one starts where `from` stood. */
const endPath = (env: Env, next: State = entryState()): void => {
  updateBranchCounts(env, env.cur);
  updateLiveStack(env);
  env.cur = next;
};

const straight = [movK(0, 0), movK(1, 0), movK(2, 0), exit()];

describe('which states are stored', () => {
  test.each<[string, (env: Env) => void, boolean]>([
    ['soon after the last one', () => {}, false],
    ['after 2 jumps and 8 instructions', (env) => Object.assign(env, { jmpsProcessed: 2, insnProcessed: 8 }), true],
    ['after 1 jump', (env) => Object.assign(env, { jmpsProcessed: 1, insnProcessed: 800 }), false],
    ['after 7 instructions', (env) => Object.assign(env, { jmpsProcessed: 9, insnProcessed: 7 }), false],
    ['at a forced checkpoint', (env) => env.facts.forceCheckpoint.fill(1), true],
    [
      'with a long history',
      (env) => env.cur.history.push(...Array.from({ length: 41 }, () => ({ idx: 0, prevIdx: 0, flags: 0, linkedRegs: null }))),
      true,
    ],
  ])('%s', (_rule, prepare, stored) => {
    const { env } = bench(straight);
    prepare(env);
    arrive(env, 1);
    expect(isStateVisited(env, 1)).toBe(false);
    expect(env.totalStates).toBe(stored ? 1 : 0);
  });

  test('always when states are tested often', () => {
    const { env } = bench(straight, { testStateFreq: true });
    arrive(env, 1);
    isStateVisited(env, 1);
    expect(env.totalStates).toBe(1);
  });

  test('the stored state becomes the parent, without marks, with the history so far', () => {
    const { env } = bench(straight);
    longAgo(env);
    arrive(env, 1);
    env.cur.top.setRegPrecise(3, UNKNOWN_REG, true);
    env.cur.history = [{ idx: 1, prevIdx: 0, flags: 0, linkedRegs: null }];
    isStateVisited(env, 1);
    const { parent } = env.cur;
    expect(parent?.top.preciseRegs).toBe(0);
    expect(parent?.history).toHaveLength(1);
    expect(parent?.branches).toBe(1);
    expect(env.cur.history).toHaveLength(0);
    expect(env.cur.firstInsnIdx).toBe(1);
    expect(env.cur.dfsDepth).toBe(1);
    expect([env.prevJmpsProcessed, env.prevInsnProcessed]).toEqual([env.jmpsProcessed, env.insnProcessed]);
    expect(env.peakStates).toBe(1);
  });
});

describe('pruning', () => {
  const visitOnce = (prepare: (env: Env) => void) => {
    const made = bench(straight, { level: 2 });
    const { env } = made;
    prepare(env);
    longAgo(env);
    arrive(env, 1);
    isStateVisited(env, 1);
    const stored = env.cur.parent as State;
    return { ...made, stored };
  };

  test('a state that proved safe covers an equal one', () => {
    const { env, stored } = visitOnce((env) => env.cur.top.setReg(1, pointerReg(PTR_TO_CTX)));
    endPath(env);
    env.cur.top.setReg(1, pointerReg(PTR_TO_CTX));
    arrive(env, 1);
    expect(isStateVisited(env, 1)).toBe(true);
    expect(visitedOf(env).first(visitedOf(env).listOf(env, 1))?.hitCount).toBe(1);
    expect(stored.cleaned).toBe(true);
  });

  test('a different one goes on', () => {
    const { env } = visitOnce((env) => env.cur.top.setReg(1, pointerReg(PTR_TO_CTX)));
    endPath(env);
    env.cur.top.setReg(1, UNKNOWN_REG);
    arrive(env, 1);
    expect(isStateVisited(env, 1)).toBe(false);
  });

  test('precision of the covering state reaches the states before the covered one', () => {
    const { env, stored, log } = visitOnce((env) => env.cur.top.setReg(6, constReg(5)));
    stored.writableTop().markReg(6, true);
    endPath(env);
    env.cur.top.setReg(6, constReg(5));
    longAgo(env);
    arrive(env, 0);
    isStateVisited(env, 0);
    const before = env.cur.parent as State;
    before.lastInsnIdx = 0;
    log();
    arrive(env, 1);
    expect(isStateVisited(env, 1)).toBe(true);
    expect(before.top.isPreciseReg(6)).toBe(true);
    expect(log()).toContain('frame 0: propagating r6\n');
  });

  test('statistics count the states of the whole list', () => {
    const { env } = visitOnce((env) => env.cur.top.setReg(1, UNKNOWN_REG));
    endPath(env);
    longAgo(env);
    env.cur.top.setReg(1, pointerReg(PTR_TO_CTX));
    arrive(env, 1);
    isStateVisited(env, 1);
    expect(env.maxStatesPerInsn).toBe(1);
  });
});

describe('eviction', () => {
  /** Visits insn 1 with a different precise constant each time, each path ending at once. */
  const visitTimes = (env: Env, times: number): void => {
    for (let i = 0; i < times; i++) {
      env.cur.top.setReg(1, constReg(i));
      longAgo(env);
      arrive(env, 1);
      expect(isStateVisited(env, 1)).toBe(false);
      env.cur.parent?.writableTop().markReg(1, true);
      endPath(env);
    }
  };

  test('a state that missed four times without a hit is dropped', () => {
    const { env } = bench(straight);
    visitTimes(env, 5);
    const visited = visitedOf(env);
    // the first state missed 4 times, the second 3 times
    expect(visited.count).toBe(4);
    expect(visited.evictedCount).toBe(0);
    expect(env.maxStatesPerInsn).toBe(4);
    expect(env.totalStates).toBe(5);
  });

  test('a dropped state with unexplored paths still counts', () => {
    const { env } = bench(straight);
    env.cur.top.setReg(1, constReg(100));
    longAgo(env);
    arrive(env, 1);
    isStateVisited(env, 1);
    const stored = env.cur.parent as State;
    stored.branches = 2;
    endPath(env);
    visitTimes(env, 4);
    const visited = visitedOf(env);
    expect(visited.count).toBe(4);
    expect(visited.evictedCount).toBe(1);
    expect(env.peakStates).toBe(5);
    const last = entryState();
    last.parent = stored;
    env.cur = last;
    endPath(env);
    expect(visited.evictedCount).toBe(0);
  });

  test('checkpoints that are being explored are kept longer', () => {
    const { env } = bench(straight);
    env.facts.forceCheckpoint[1] = 1;
    env.cur.top.setReg(1, constReg(100));
    arrive(env, 1);
    isStateVisited(env, 1);
    (env.cur.parent as State).branches = 2;
    endPath(env);
    visitTimes(env, 10);
    expect(visitedOf(env).evictedCount).toBe(0);
  });

  test('an unprivileged loader gets 64 states', () => {
    const { env } = bench(straight, { privileged: false });
    env.facts.forceCheckpoint[1] = 1;
    for (let i = 0; i < 66; i++) {
      env.cur.top.setRegPrecise(1, constReg(i), true);
      arrive(env, 1);
      isStateVisited(env, 1);
      if (env.cur.parent) env.cur.parent.branches++;
      endPath(env);
    }
    expect(env.totalStates).toBe(65);
  });

  test('after the end of a function nothing is left, the counters go on', () => {
    const { env } = bench(straight);
    visitTimes(env, 2);
    freeStates(env);
    const visited = visitedOf(env);
    expect(visited.first(visited.listOf(env, 1))).toBeNull();
    expect(visited.count).toBe(2);
  });
});

describe('branches', () => {
  test('a state is final when its last path ended, and lets go of its parents', () => {
    const { env } = bench(straight);
    longAgo(env);
    arrive(env, 0);
    isStateVisited(env, 0);
    const outer = env.cur.parent as State;
    longAgo(env);
    arrive(env, 1);
    isStateVisited(env, 1);
    const inner = env.cur.parent as State;
    expect(inner.parent).toBe(outer);
    outer.branches++;
    endPath(env);
    expect([inner.branches, outer.branches]).toEqual([0, 1]);
    expect(inner.parent).toBeNull();
  });

  test('ending a path twice is a bug', () => {
    const { env } = bench(straight);
    updateBranchCounts(env, env.cur);
    expect(() => updateBranchCounts(env, env.cur)).toThrow('branches_to_explore=-1');
  });
});

describe('loops', () => {
  const loop = [movK(0, 0), movK(1, 0), ja(-2), exit()];

  test('a loop without progress is refused, with both states', () => {
    const { env, log } = bench(loop, { level: 2 });
    longAgo(env);
    arrive(env, 1);
    isStateVisited(env, 1);
    arrive(env, 1);
    log();
    expect(() => isStateVisited(env, 1)).toThrow('infinite loop detected at insn 1');
    expect(log()).toBe('infinite loop detected at insn 1\ncur state: R10=fp0\nold state: R10=fp0\n');
  });

  test('progress in any register is progress', () => {
    const { env } = bench(loop);
    env.cur.top.setReg(1, constReg(0));
    longAgo(env);
    arrive(env, 1);
    isStateVisited(env, 1);
    env.cur.writableTop().setReg(1, constReg(1));
    arrive(env, 1);
    expect(isStateVisited(env, 1)).toBe(false);
  });

  test('another entry into an asynchronous callback is no loop', () => {
    const { env } = bench(loop);
    env.cur.top.inAsyncCallback = true;
    longAgo(env);
    arrive(env, 1);
    isStateVisited(env, 1);
    env.cur.writableTop().asyncEntryCount = 1;
    arrive(env, 1);
    expect(isStateVisited(env, 1)).toBe(false);
  });

  test('short turns of a loop store no state', () => {
    const { env } = bench(loop);
    longAgo(env);
    arrive(env, 1);
    isStateVisited(env, 1);
    env.jmpsProcessed += 5;
    env.insnProcessed += 50;
    env.cur.writableTop().setReg(1, constReg(1));
    arrive(env, 1);
    isStateVisited(env, 1);
    expect(env.totalStates).toBe(1);
    env.insnProcessed += 50;
    arrive(env, 1);
    isStateVisited(env, 1);
    expect(env.totalStates).toBe(2);
  });

  const active = 1;
  const drained = 2;
  const withIterator = (env: Env, state: number, depth: number): void => {
    const frame = env.cur.writableTop();
    frame.growStack(8);
    frame.setSlot(0, fullSlot(STACK_ITER, withFields(ZERO_REG, { refObjId: 1, aux: 5, aux2: (depth << 2) | state })));
    frame.setReg(1, withFields(stackPointerReg(0), { off: -8 }));
  };

  const iterate = (state: number) => {
    const made = bench(loop, { level: 2 });
    const { env } = made;
    env.facts.isIterNext[1] = 1;
    env.facts.forceCheckpoint[1] = 1;
    env.facts.scc.fill(1, 1, 3);
    env.sccCount = 2;
    withIterator(env, state, 0);
    arrive(env, 1);
    isStateVisited(env, 1);
    withIterator(env, state, 1);
    arrive(env, 1);
    return made;
  };

  test('an active iterator converges on the state of an earlier turn, and leaves a backedge', () => {
    const { env, log } = iterate(active);
    expect(isStateVisited(env, 1)).toBe(true);
    expect(visitedOf(env).backedgeCount).toBe(1);
    expect(env.peakStates).toBe(2);
    expect(log()).toContain('SCC enter (1)\nSCC backedge (1)\n');
    endPath(env);
    expect(log()).toContain('SCC exit (1)\n');
    expect(visitedOf(env).backedgeCount).toBe(0);
  });

  test('a drained one does not', () => {
    const { env } = iterate(drained);
    expect(isStateVisited(env, 1)).toBe(false);
  });

  test('elsewhere in the loop another turn of the iterator is no infinite loop', () => {
    const { env } = iterate(active);
    env.facts.isIterNext[1] = 0;
    expect(isStateVisited(env, 1)).toBe(false);
    withIterator(env, active, 0);
    arrive(env, 1);
    expect(() => isStateVisited(env, 1)).toThrow('infinite loop');
  });

  test('in a loop of an iterator scalars have to lie within', () => {
    const { env } = iterate(active);
    env.cur.parent?.writableTop().setReg(2, constReg(1));
    env.cur.writableTop().setReg(2, constReg(2));
    expect(isStateVisited(env, 1)).toBe(false);
  });

  test('may_goto converges when it was taken since', () => {
    const { env } = bench([movK(0, 0), mayGoto(1), ja(-2), exit()]);
    env.facts.scc.fill(1, 1, 3);
    env.sccCount = 2;
    env.facts.forceCheckpoint[1] = 1;
    arrive(env, 1);
    isStateVisited(env, 1);
    arrive(env, 1);
    env.cur.mayGotoDepth = 1;
    expect(isStateVisited(env, 1)).toBe(true);
    expect(visitedOf(env).backedgeCount).toBe(1);
  });

  test('a callback converges without a backedge', () => {
    const { env } = bench([movK(0, 0), callHelper(HELPER_PLAIN), exit()]);
    env.facts.callsCallback[1] = 1;
    env.facts.forceCheckpoint[1] = 1;
    arrive(env, 1);
    isStateVisited(env, 1);
    arrive(env, 1);
    expect(isStateVisited(env, 1)).toBe(true);
    expect(visitedOf(env).backedgeCount).toBe(0);
  });

  test('marks go around a loop until nothing changes', () => {
    // 0: mov   1: iterator next   2: r6 = r6 + 1   3: goto 1   4: exit
    const { env } = bench([movK(6, 0), callHelper(HELPER_PLAIN), addK(6, 1), ja(-3), exit()]);
    env.facts.isIterNext[1] = 1;
    env.facts.forceCheckpoint[1] = 1;
    env.facts.scc.fill(1, 1, 4);
    env.sccCount = 2;
    env.cur.top.setReg(6, UNKNOWN_REG);
    withIterator(env, active, 0);
    arrive(env, 1);
    isStateVisited(env, 1);
    const head = env.cur.parent as State;
    env.facts.forceCheckpoint[2] = 1;
    arrive(env, 2);
    isStateVisited(env, 2);
    const body = env.cur.parent as State;
    withIterator(env, active, 1);
    env.cur.history = [{ idx: 1, prevIdx: 3, flags: 0, linkedRegs: null }];
    env.facts.jmpPoint[1] = 0;
    arrive(env, 1);
    env.cur.lastInsnIdx = 3;
    body.branches = 2;
    expect(isStateVisited(env, 1)).toBe(true);
    expect(body.top.isPreciseReg(6)).toBe(false);
    // a later path finds that the head's register matters
    head.writableTop().markReg(6, true);
    updateBranchCounts(env, env.cur);
    expect(body.top.isPreciseReg(6)).toBe(false);
    const other = entryState();
    other.parent = body;
    other.insnIdx = 2;
    updateBranchCounts(env, other);
    expect(head.branches).toBe(0);
    expect(body.top.isPreciseReg(6)).toBe(true);
  });
});

describe('cleaning', () => {
  test('what nothing reads any more is forgotten', () => {
    const { env } = bench([jgtK(1, 0, 0), load(2, 10, -8), exit()]);
    const frame = env.cur.writableTop();
    frame.setRegPrecise(1, UNKNOWN_REG, true);
    frame.setRegPrecise(2, UNKNOWN_REG, true);
    frame.growStack(16);
    frame.setSlot(0, MISC_SLOT);
    frame.setSlot(1, fullSlot(STACK_SPILL, UNKNOWN_REG));
    frame.markSlot(1, true);
    markStackRead(env, 0, 1, 1, 0);
    updateLiveStack(env);
    env.facts.liveRegsBefore[0] = (1 << 1) | (1 << 10);
    const state = env.cur.copy();
    cleanState(env, state);
    expect(state.cleaned).toBe(true);
    expect(state.top.regs[1]).toBe(UNKNOWN_REG);
    expect(state.top.regs[2]).toBe(NOT_INIT_REG);
    expect(state.top.slots).toEqual([MISC_SLOT, INVALID_SLOT]);
    expect([state.top.preciseRegs, state.top.preciseSlotsLo]).toEqual([1 << 1, 0]);
    // the current state shares nothing of that
    expect(env.cur.top.regs[2]).toBe(UNKNOWN_REG);
  });
});
