import { describe, expect, test } from 'vitest';
import { visitedOf } from '../../../src/verifier/prune/explored.ts';
import {
  addSccBackedge,
  findPreviousEntry,
  incompleteReadMarks,
  maybeEnterScc,
  maybeExitScc,
  widenImpreciseScalars,
} from '../../../src/verifier/prune/loops.ts';
import { pointerReg, UNKNOWN_REG } from '../../../src/verifier/state/reg.ts';
import { PTR_TO_CTX } from '../../../src/verifier/state/reg_types.ts';
import { fullSlot, STACK_SPILL } from '../../../src/verifier/state/stack_slot.ts';
import { bench, callSubprog, constReg, enter, entryState, exit, movK } from './fixture.ts';

// 0: mov   1: call 3   2: exit   3: mov   4: exit
const program = [movK(0, 0), callSubprog(1), exit(), movK(1, 0), exit()];

describe('components', () => {
  test('a component is told apart by the calls that lead to it', () => {
    const { env, log } = bench(program, { level: 2, subprogs: [0, 3] });
    env.facts.scc[3] = 1;
    env.sccCount = 2;
    const one = entryState();
    enter(one, 1, 1);
    one.insnIdx = 3;
    const other = entryState();
    enter(other, 2, 1);
    other.insnIdx = 3;
    maybeEnterScc(env, one);
    maybeEnterScc(env, one.copy());
    maybeEnterScc(env, other);
    expect(log()).toBe('SCC enter (1,1)\nSCC enter (2,1)\n');
    addSccBackedge(env, one, entryState());
    expect(incompleteReadMarks(env, one)).toBe(true);
    expect(incompleteReadMarks(env, other)).toBe(false);
    maybeExitScc(env, other);
    expect(log()).toContain('SCC exit (2,1)\n');
    expect(incompleteReadMarks(env, one)).toBe(true);
    maybeExitScc(env, one);
    expect(incompleteReadMarks(env, one)).toBe(false);
    expect(visitedOf(env).backedgeCount).toBe(0);
  });

  test('the outermost loop counts', () => {
    const { env, log } = bench(program, { level: 2, subprogs: [0, 3] });
    env.facts.scc[1] = 1;
    env.facts.scc[3] = 2;
    env.sccCount = 3;
    const state = entryState();
    enter(state, 1, 1);
    state.insnIdx = 3;
    maybeEnterScc(env, state);
    expect(log()).toBe('SCC enter (1)\n');
  });

  test('outside of components nothing happens', () => {
    const { env, log } = bench(program, { level: 2, subprogs: [0, 3] });
    env.sccCount = 2;
    maybeEnterScc(env, env.cur);
    maybeExitScc(env, env.cur);
    expect(log()).toBe('');
    expect(() => addSccBackedge(env, env.cur, entryState())).toThrow('no SCC in verification path');
  });

  test('a path that ends in a component never entered is a bug unless speculative', () => {
    const { env } = bench(program, { subprogs: [0, 3] });
    env.facts.scc[0] = 1;
    env.sccCount = 2;
    expect(() => maybeExitScc(env, env.cur)).toThrow('no visit info for call chain (1)');
    env.cur.speculative = true;
    expect(() => maybeExitScc(env, env.cur)).not.toThrow();
  });
});

test('the previous turn of a loop is the nearest state on the way', () => {
  const { env } = bench(program);
  const visited = visitedOf(env);
  const list = visited.listOf(env, 1);
  const stored = (dfsDepth: number, branches: number, insnIdx = 1) => {
    const state = entryState();
    Object.assign(state, { dfsDepth, branches, insnIdx });
    visited.add(list, state);
    return state;
  };
  stored(1, 1);
  const nearest = stored(3, 1);
  stored(4, 0);
  stored(5, 1);
  stored(3, 1, 2);
  const from = entryState();
  from.dfsDepth = 5;
  expect(findPreviousEntry(env, from, 1)).toBe(nearest);
  expect(findPreviousEntry(env, null, 1)).toBeNull();
});

describe('widening', () => {
  const two = () => {
    const { env } = bench(program);
    const old = entryState();
    const state = entryState();
    return { env, old, state };
  };

  test('a scalar that changed and that nothing relied on is forgotten', () => {
    const { env, old, state } = two();
    old.top.setReg(6, constReg(1));
    state.top.setReg(6, constReg(2));
    old.top.setReg(7, constReg(1));
    state.top.setReg(7, constReg(1));
    widenImpreciseScalars(env, old, state);
    expect(state.top.regs[6]).toBe(UNKNOWN_REG);
    expect(state.top.regs[7]).toEqual(constReg(1));
  });

  test('a precise one keeps its range', () => {
    const { env, old, state } = two();
    old.top.setRegPrecise(6, constReg(1), true);
    state.top.setReg(6, constReg(2));
    widenImpreciseScalars(env, old, state);
    expect(state.top.regs[6]).toEqual(constReg(2));
  });

  test('what was no scalar stays', () => {
    const { env, old, state } = two();
    old.top.setReg(6, pointerReg(PTR_TO_CTX));
    state.top.setReg(6, constReg(2));
    widenImpreciseScalars(env, old, state);
    expect(state.top.regs[6]).toEqual(constReg(2));
  });

  test('spilled scalars too, in a frame that others do not see', () => {
    const { env, old, state } = two();
    for (const each of [old, state]) each.top.growStack(8);
    old.top.setSlot(0, fullSlot(STACK_SPILL, constReg(1)));
    state.top.setSlot(0, fullSlot(STACK_SPILL, constReg(2)));
    const sharer = state.copy();
    widenImpreciseScalars(env, old, state);
    expect(state.top.slot(0).reg).toBe(UNKNOWN_REG);
    expect(sharer.top.slot(0).reg).toEqual(constReg(2));
  });

  test('nothing without CAP_BPF, where every scalar is precise', () => {
    const { env } = bench(program, { privileged: false });
    const old = entryState();
    const state = entryState();
    old.top.setReg(6, constReg(1));
    state.top.setReg(6, constReg(2));
    widenImpreciseScalars(env, old, state);
    expect(state.top.regs[6]).toEqual(constReg(2));
  });
});
