import { beforeEach, describe, expect, test } from 'vitest';
import {
  type Exactness,
  refsSafe,
  regSafe,
  stackSafe,
  statesEqual,
  statesMaybeLooping,
} from '../../../src/verifier/prune/equality.ts';
import { checkIds, checkScalarIds, resetIdMap } from '../../../src/verifier/prune/id_map.ts';
import { Frame } from '../../../src/verifier/state/frame.ts';
import {
  BPF_ADD_CONST32,
  BPF_ADD_CONST64,
  NOT_INIT_REG,
  pointerReg,
  type Reg,
  stackPointerReg,
  UNKNOWN_REG,
  ZERO_REG,
} from '../../../src/verifier/state/reg.ts';
import {
  CONST_PTR_TO_DYNPTR,
  PTR_MAYBE_NULL,
  PTR_TO_ARENA,
  PTR_TO_CTX,
  PTR_TO_MAP_VALUE,
  PTR_TO_PACKET,
  PTR_TO_SOCKET,
} from '../../../src/verifier/state/reg_types.ts';
import {
  fullSlot,
  INVALID_SLOT,
  MISC_SLOT,
  Slot,
  STACK_DYNPTR,
  STACK_IRQ_FLAG,
  STACK_ITER,
  STACK_SPILL,
  ZERO_SLOT,
} from '../../../src/verifier/state/stack_slot.ts';
import { REF_TYPE_LOCK, REF_TYPE_PTR, State } from '../../../src/verifier/state/state.ts';
import { bench, constReg, enter, entryState, exit, movK, rangeReg, upTo, withFields } from './fixture.ts';

const privileged = bench([movK(0, 0), exit()]).env;
const unprivileged = bench([movK(0, 0), exit()], { privileged: false }).env;

beforeEach(() => {
  resetIdMap(privileged);
});

const map = { name: 'map' } as never;
const otherMap = { name: 'other' } as never;
const mapValue = (fields: Partial<Reg> = {}): Reg => withFields(pointerReg(PTR_TO_MAP_VALUE, map), fields);
const packet = (range: number, fields: Partial<Reg> = {}): Reg => withFields(pointerReg(PTR_TO_PACKET, null, range), fields);

describe('ids', () => {
  test('a pair must come again as the same pair', () => {
    expect(checkIds(1, 11)).toBe(true);
    expect(checkIds(1, 11)).toBe(true);
    expect(checkIds(1, 12)).toBe(false);
    expect(checkIds(2, 11)).toBe(false);
    expect(checkIds(2, 12)).toBe(true);
  });

  test('both or none', () => {
    expect(checkIds(0, 0)).toBe(true);
    expect(checkIds(0, 1)).toBe(false);
    expect(checkIds(1, 0)).toBe(false);
  });

  test('an old scalar without id suits any link', () => {
    expect(checkScalarIds(0, 5)).toBe(true);
  });

  test('two linked old scalars do not match two independent ones', () => {
    expect(checkScalarIds(7, 0)).toBe(true);
    expect(checkScalarIds(7, 0)).toBe(false);
  });

  test('a link with offset needs the base to correspond', () => {
    expect(checkScalarIds(1, 11)).toBe(true);
    expect(checkScalarIds(1 | BPF_ADD_CONST64, 12 | BPF_ADD_CONST64)).toBe(false);
    resetIdMap(privileged);
    expect(checkScalarIds(1, 11)).toBe(true);
    expect(checkScalarIds(1 | BPF_ADD_CONST64, 11 | BPF_ADD_CONST64)).toBe(true);
  });
});

describe('registers', () => {
  type Row = [rule: string, old: Reg, oldPrecise: boolean, cur: Reg, exact: Exactness, safe: boolean];
  const shared = rangeReg(7);
  const rows: Row[] = [
    ['imprecise scalars match whatever their ranges', constReg(1), false, constReg(2), 'NOT_EXACT', true],
    ['precise scalars must lie inside', rangeReg(7), true, rangeReg(3), 'NOT_EXACT', true],
    ['a wider scalar does not match a precise one', rangeReg(3), true, rangeReg(7), 'NOT_EXACT', false],
    ['precise constants must be equal', constReg(1), true, constReg(2), 'NOT_EXACT', false],
    ['unfinished marks count as precise', constReg(1), false, constReg(2), 'RANGE_WITHIN', false],
    ['unfinished marks allow narrower scalars', rangeReg(7), false, constReg(2), 'RANGE_WITHIN', true],
    ['exact comparison refuses a narrower scalar', rangeReg(7), false, rangeReg(3), 'EXACT', false],
    ['exact comparison takes the same object', shared, false, shared, 'EXACT', true],
    ['exact comparison takes an equal object', rangeReg(7), false, rangeReg(7), 'EXACT', true],
    ['exact comparison wants ids on both sides', rangeReg(7, 1), false, rangeReg(7), 'EXACT', false],
    ['an unread register matches anything', NOT_INIT_REG, false, pointerReg(PTR_TO_CTX), 'NOT_EXACT', true],
    ['an unread register is no more than that in a loop', NOT_INIT_REG, false, pointerReg(PTR_TO_CTX), 'RANGE_WITHIN', false],
    ['unread matches unread in a loop', NOT_INIT_REG, false, withFields(NOT_INIT_REG, {}), 'RANGE_WITHIN', true],
    ['scalar against pointer', UNKNOWN_REG, false, pointerReg(PTR_TO_CTX), 'NOT_EXACT', false],
    [
      'maybe-null against not-null',
      mapValue({ type: PTR_TO_MAP_VALUE | PTR_MAYBE_NULL, id: 1 }),
      false,
      mapValue(),
      'NOT_EXACT',
      false,
    ],
    ['a linked scalar against an unlinked one', rangeReg(7, 1), true, rangeReg(3), 'NOT_EXACT', true],
    ['links with and without offset', rangeReg(7, 1 | BPF_ADD_CONST64), true, rangeReg(7, 2), 'NOT_EXACT', false],
    ['32-bit and 64-bit offsets', rangeReg(7, 1 | BPF_ADD_CONST64), true, rangeReg(7, 2 | BPF_ADD_CONST32), 'NOT_EXACT', false],
    [
      'different offsets of links',
      withFields(rangeReg(7, 1 | BPF_ADD_CONST64), { off: 4 }),
      true,
      withFields(rangeReg(7, 2 | BPF_ADD_CONST64), { off: 8 }),
      'NOT_EXACT',
      false,
    ],
    [
      'same offsets of links',
      withFields(rangeReg(7, 1 | BPF_ADD_CONST64), { off: 4 }),
      true,
      withFields(rangeReg(7, 2 | BPF_ADD_CONST64), { off: 4 }),
      'NOT_EXACT',
      true,
    ],
    [
      'map value with smaller variable offset',
      mapValue({ scalar: upTo(8) }),
      false,
      mapValue({ scalar: upTo(3) }),
      'NOT_EXACT',
      true,
    ],
    [
      'map value with larger variable offset',
      mapValue({ scalar: upTo(3) }),
      false,
      mapValue({ scalar: upTo(8) }),
      'NOT_EXACT',
      false,
    ],
    ['map value of another map', mapValue(), false, mapValue({ obj: otherMap }), 'NOT_EXACT', false],
    ['map value at another offset', mapValue({ off: 4 }), false, mapValue({ off: 8 }), 'NOT_EXACT', false],
    ['packet with more proven range', packet(8), false, packet(16), 'NOT_EXACT', true],
    ['packet with less proven range', packet(16), false, packet(8), 'NOT_EXACT', false],
    ['packet at the end against proven range', packet(-1), false, packet(8), 'NOT_EXACT', false],
    ['packet at the end against beyond the end', packet(-1), false, packet(-2), 'NOT_EXACT', false],
    ['packet at another offset', packet(8, { off: 2 }), false, packet(8), 'NOT_EXACT', false],
    ['packet ids on one side', packet(8, { id: 3 }), false, packet(8), 'NOT_EXACT', false],
    ['stack of another frame', stackPointerReg(0), false, stackPointerReg(1), 'NOT_EXACT', false],
    ['stack of the same frame', stackPointerReg(1), false, stackPointerReg(1), 'NOT_EXACT', true],
    [
      'arena pointers',
      withFields(pointerReg(PTR_TO_ARENA), { id: 1 }),
      false,
      withFields(pointerReg(PTR_TO_ARENA), { off: 9 }),
      'NOT_EXACT',
      true,
    ],
    [
      'references correspond',
      withFields(pointerReg(PTR_TO_SOCKET), { refObjId: 1 }),
      false,
      withFields(pointerReg(PTR_TO_SOCKET), { refObjId: 9 }),
      'NOT_EXACT',
      true,
    ],
    [
      'reference on one side',
      withFields(pointerReg(PTR_TO_SOCKET), { refObjId: 1 }),
      false,
      pointerReg(PTR_TO_SOCKET),
      'NOT_EXACT',
      false,
    ],
  ];
  test.each(rows)('%s', (_rule, old, oldPrecise, cur, exact, safe) => {
    expect(regSafe(privileged, old, oldPrecise, cur, exact)).toBe(safe);
  });

  test('two registers with one id need one id', () => {
    expect(regSafe(privileged, rangeReg(7, 1), true, rangeReg(7, 5), 'NOT_EXACT')).toBe(true);
    expect(regSafe(privileged, rangeReg(7, 1), true, rangeReg(7, 6), 'NOT_EXACT')).toBe(false);
  });

  test('ids of shared registers are remembered', () => {
    const pointer = mapValue({ type: PTR_TO_MAP_VALUE | PTR_MAYBE_NULL, id: 4 });
    expect(regSafe(privileged, pointer, false, pointer, 'NOT_EXACT')).toBe(true);
    expect(regSafe(privileged, withFields(pointer, {}), false, withFields(pointer, { id: 5 }), 'NOT_EXACT')).toBe(false);
  });

  test('masked pointer arithmetic was seen: scalars must be the same', () => {
    const { env } = bench([exit()]);
    env.exploreAluLimits = true;
    resetIdMap(env);
    expect(regSafe(env, constReg(1), false, constReg(2), 'NOT_EXACT')).toBe(false);
    expect(regSafe(env, constReg(1), false, constReg(1), 'NOT_EXACT')).toBe(true);
  });
});

const spill = (reg: Reg): Slot => fullSlot(STACK_SPILL, reg);
const spill32 = (reg: Reg): Slot => new Slot(0x02020202, 0x01010101, reg);
const iter = (state: number, depth: number, fields: Partial<Reg> = {}): Slot =>
  fullSlot(STACK_ITER, withFields(ZERO_REG, { refObjId: 1, aux: 5, aux2: (depth << 2) | state, ...fields }));
const dynptr = (type: number, first: number, ref = 0): Slot =>
  fullSlot(STACK_DYNPTR, withFields(pointerReg(CONST_PTR_TO_DYNPTR, null, type, first), { refObjId: ref, id: 3 }));
const irq = (id: number, kind: number): Slot => fullSlot(STACK_IRQ_FLAG, withFields(ZERO_REG, { refObjId: id, aux: kind }));

const frameWith = (slots: readonly Slot[], precise = 0): Frame => {
  const frame = new Frame(-1, 0, 0);
  frame.slots = slots.slice();
  frame.preciseSlotsLo = precise;
  return frame;
};

describe('stack', () => {
  type Row = [rule: string, old: Slot[], precise: number, cur: Slot[], exact: Exactness, safe: boolean];
  const rows: Row[] = [
    ['an unused slot matches anything', [INVALID_SLOT], 0, [spill(constReg(1))], 'NOT_EXACT', true],
    ['an unused slot matches a shorter stack', [INVALID_SLOT], 0, [], 'NOT_EXACT', true],
    ['a shorter stack is no match in a loop', [INVALID_SLOT], 0, [], 'RANGE_WITHIN', false],
    ['more slots than the old stack', [], 0, [MISC_SLOT], 'EXACT', true],
    ['zero against nothing', [ZERO_SLOT], 0, [], 'NOT_EXACT', false],
    ['zero against zero', [ZERO_SLOT], 0, [fullSlot(3, NOT_INIT_REG)], 'NOT_EXACT', true],
    ['zero against data', [ZERO_SLOT], 0, [MISC_SLOT], 'NOT_EXACT', false],
    ['imprecise spill against another', [spill(constReg(1))], 0, [spill(constReg(2))], 'NOT_EXACT', true],
    ['precise spill against another', [spill(constReg(1))], 1, [spill(constReg(2))], 'NOT_EXACT', false],
    ['precise unknown spill against data', [spill(UNKNOWN_REG)], 1, [MISC_SLOT], 'NOT_EXACT', true],
    ['precise bounded spill against data', [spill(rangeReg(7))], 1, [MISC_SLOT], 'NOT_EXACT', false],
    ['spilled pointer against data', [spill(pointerReg(PTR_TO_CTX))], 0, [MISC_SLOT], 'NOT_EXACT', false],
    ['narrow spill against data', [spill32(constReg(1))], 0, [MISC_SLOT], 'NOT_EXACT', false],
    ['narrow spill against narrow spill', [spill32(constReg(1))], 1, [spill32(constReg(2))], 'NOT_EXACT', false],
    ['narrow imprecise spills', [spill32(constReg(1))], 0, [spill32(constReg(2))], 'NOT_EXACT', true],
    ['spill against data in a loop', [spill(UNKNOWN_REG)], 0, [MISC_SLOT], 'RANGE_WITHIN', false],
    ['dynptr against the same kind', [dynptr(1, 1, 2)], 0, [dynptr(1, 1, 9)], 'NOT_EXACT', true],
    ['dynptr against another kind', [dynptr(1, 1)], 0, [dynptr(2, 1)], 'NOT_EXACT', false],
    ['first half of a dynptr against the second', [dynptr(1, 1)], 0, [dynptr(1, 0)], 'NOT_EXACT', false],
    ['iterator in another turn', [iter(1, 0)], 0, [iter(1, 4)], 'RANGE_WITHIN', true],
    ['iterator in another state', [iter(1, 0)], 0, [iter(2, 0)], 'NOT_EXACT', false],
    ['iterator of another kind', [iter(1, 0)], 0, [iter(1, 0, { aux: 6 })], 'NOT_EXACT', false],
    ['iterator against data', [iter(1, 0)], 0, [MISC_SLOT], 'NOT_EXACT', false],
    ['irq flags', [irq(3, 0)], 0, [irq(4, 0)], 'NOT_EXACT', true],
    ['irq flags of different functions', [irq(3, 0)], 0, [irq(4, 1)], 'NOT_EXACT', false],
  ];
  test.each(rows)('%s', (_rule, old, precise, cur, exact, safe) => {
    expect(stackSafe(privileged, frameWith(old, precise), frameWith(cur), exact)).toBe(safe);
  });

  test('data matches anything where uninitialised stack may be read', () => {
    expect(stackSafe(privileged, frameWith([MISC_SLOT]), frameWith([]), 'NOT_EXACT')).toBe(true);
    expect(stackSafe(privileged, frameWith([MISC_SLOT]), frameWith([spill(pointerReg(PTR_TO_CTX))]), 'NOT_EXACT')).toBe(true);
  });

  test('without that right data wants data, zeros or a scalar', () => {
    resetIdMap(unprivileged);
    expect(stackSafe(unprivileged, frameWith([MISC_SLOT]), frameWith([]), 'NOT_EXACT')).toBe(false);
    expect(stackSafe(unprivileged, frameWith([MISC_SLOT]), frameWith([ZERO_SLOT]), 'NOT_EXACT')).toBe(true);
    expect(stackSafe(unprivileged, frameWith([MISC_SLOT]), frameWith([spill(constReg(5))]), 'NOT_EXACT')).toBe(true);
    expect(stackSafe(unprivileged, frameWith([MISC_SLOT]), frameWith([spill(pointerReg(PTR_TO_CTX))]), 'NOT_EXACT')).toBe(false);
  });

  test('every scalar is precise for an unprivileged loader', () => {
    resetIdMap(unprivileged);
    expect(stackSafe(unprivileged, frameWith([spill(constReg(1))]), frameWith([spill(constReg(2))]), 'NOT_EXACT')).toBe(false);
  });
});

describe('references', () => {
  const withRef = (type: number, id: number, ptr: unknown = null): State => {
    const state = new State();
    state.refs = [{ type, id, insnIdx: 0, ptr: ptr as never }];
    state.acquiredRefs = 1;
    return state;
  };
  test.each<[string, State, State, boolean]>([
    ['ids correspond', withRef(REF_TYPE_PTR, 1), withRef(REF_TYPE_PTR, 2), true],
    ['one more', new State(), withRef(REF_TYPE_PTR, 2), false],
    ['another kind', withRef(REF_TYPE_PTR, 1), withRef(REF_TYPE_LOCK, 2), false],
    ['lock of the same object', withRef(REF_TYPE_LOCK, 1, map), withRef(REF_TYPE_LOCK, 2, map), true],
    ['lock of another object', withRef(REF_TYPE_LOCK, 1, map), withRef(REF_TYPE_LOCK, 2, otherMap), false],
    ['RCU section', new State(), Object.assign(new State(), { activeRcuLock: true }), false],
    ['preemption disabled', new State(), Object.assign(new State(), { activePreemptLocks: 1 }), false],
    ['lock held', new State(), Object.assign(new State(), { activeLocks: 1 }), false],
    ['interrupts disabled', new State(), Object.assign(new State(), { activeIrqId: 1 }), false],
  ])('%s', (_rule, old, cur, safe) => {
    expect(refsSafe(old, cur)).toBe(safe);
  });
});

describe('states', () => {
  const two = () => {
    const { env } = bench([movK(0, 0), movK(1, 0), exit()], { subprogs: [0, 1] });
    return { env, old: entryState(), cur: entryState() };
  };

  test('dead registers do not matter, live ones do', () => {
    const { env, old, cur } = two();
    old.top.setReg(1, pointerReg(PTR_TO_CTX));
    cur.top.setReg(1, UNKNOWN_REG);
    expect(statesEqual(env, old, cur, 'NOT_EXACT')).toBe(false);
    env.facts.liveRegsBefore[0] = 0x7fd;
    expect(statesEqual(env, old, cur, 'NOT_EXACT')).toBe(true);
  });

  test('outer frames are compared at their call', () => {
    const { env, old, cur } = two();
    enter(old, 1, 1);
    enter(cur, 1, 1);
    old.frame(0).setReg(6, constReg(1));
    old.frame(0).markReg(6, true);
    cur.frame(0).setReg(6, constReg(2));
    expect(statesEqual(env, old, cur, 'NOT_EXACT')).toBe(false);
    env.facts.liveRegsBefore[1] = 0;
    expect(statesEqual(env, old, cur, 'NOT_EXACT')).toBe(true);
  });

  test('functions entered from different calls differ', () => {
    const { env, old, cur } = two();
    enter(old, 1, 1);
    enter(cur, 2, 1);
    expect(statesEqual(env, old, cur, 'NOT_EXACT')).toBe(false);
  });

  test('a speculative state covers only speculative ones', () => {
    const { env, old, cur } = two();
    old.speculative = true;
    expect(statesEqual(env, old, cur, 'NOT_EXACT')).toBe(false);
    expect(statesEqual(env, cur, old, 'NOT_EXACT')).toBe(true);
  });

  test('sleepable and not sleepable differ', () => {
    const { env, old, cur } = two();
    old.inSleepable = true;
    expect(statesEqual(env, old, cur, 'NOT_EXACT')).toBe(false);
  });

  test('a callback that ran less often is not covered', () => {
    const { env, old, cur } = two();
    old.top.callbackDepth = 2;
    cur.top.callbackDepth = 1;
    expect(statesEqual(env, old, cur, 'NOT_EXACT')).toBe(false);
    expect(statesEqual(env, cur, old, 'NOT_EXACT')).toBe(true);
  });

  test('looping needs the same registers with the same ids', () => {
    const { old, cur } = two();
    expect(statesMaybeLooping(old, cur)).toBe(true);
    cur.top.setReg(3, rangeReg(5, 1));
    expect(statesMaybeLooping(old, cur)).toBe(false);
    old.top.setReg(3, rangeReg(5, 1));
    expect(statesMaybeLooping(old, cur)).toBe(true);
    old.top.setReg(3, rangeReg(5, 2));
    expect(statesMaybeLooping(old, cur)).toBe(false);
  });
});
