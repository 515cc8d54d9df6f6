import type { Btf } from '../../btf/btf.ts';
import { never } from '../../contracts/errors.ts';
import type { Env } from '../env.ts';
import { notNull } from '../insn/null_branch.ts';
import { iterTypeText } from '../log/state_lines.ts';
import { checkMemAccess } from '../memory/access.ts';
import { pushStack } from '../paths.ts';
import { sameCallsites } from '../prune/equality.ts';
import { findPreviousEntry, widenImpreciseScalars } from '../prune/loops.ts';
import { ZERO } from '../scalar/scalar.ts';
import { markRegKnownZero } from '../state/access.ts';
import { Reg } from '../state/reg.ts';
import { MEM_RCU, PTR_TO_STACK, PTR_UNTRUSTED } from '../state/reg_types.ts';
import { fullSlot, INVALID_SLOT, Slot, STACK_ITER } from '../state/stack_slot.ts';
import type { State } from '../state/state.ts';
import { checkFound, markObjectRead, markSlotWritten, objectSlot, UNUSED_STACK } from './object_slots.ts';
import { isInRcuSection } from './rcu.ts';
import { acquireReference, releaseReference } from './references.ts';

/**
 * Open-coded iterators: a struct on the stack between its `new` and `destroy` kfuncs. Its first slot, the one at the lowest
 * address, holds a reference. Source: mark_stack_slots_iter, process_iter_arg, process_iter_next_call, kernel/bpf/verifier.c.
 */

/** enum bpf_iter_state */
const ACTIVE = 1;
const DRAINED = 2;
const STATE_MASK = 3;
const DEPTH_SHIFT = 2;

const SLOT_BYTES = 8;

/** How a kfunc takes an iterator. */
export interface IterArg {
  /** `use`: a kfunc that is none of the iterator's own three */
  readonly role: 'new' | 'next' | 'destroy' | 'use';
  /** the iterator's struct */
  readonly btf: Btf;
  readonly btfId: number;
  readonly slots: number;
  /** the iterator walks what RCU protects (KF_RCU_PROTECTED of its `new`) */
  readonly rcuProtected: boolean;
  /** name of the kfunc, for messages */
  readonly kfunc: string;
}

/** The first slot of an iterator. */
export interface IterPlace {
  readonly frameno: number;
  readonly spi: number;
}

const isIterSlot = (slot: Slot): boolean => (slot.typesLo & 0xff) === STACK_ITER;

const stateReg = (state: State, { frameno, spi }: IterPlace): Reg => state.frame(frameno).slot(spi).reg;

/** Reference that the iterator holds (iter_ref_obj_id). */
export const iterRefObjId = (env: Env, place: IterPlace): number => stateReg(env.cur, place).refObjId;

/** The iterator was made in an RCU section that goes on: what it yields is protected, too. */
export const isRcuIter = (env: Env, place: IterPlace): boolean => (stateReg(env.cur, place).type & MEM_RCU) !== 0;

/** A place for a new iterator; stack that was never used will do (is_iter_reg_valid_uninit). */
function isPlace(env: Env, reg: Reg, slots: number): boolean {
  const spi = objectSlot(env, reg, 'iter', slots);
  if (spi < 0) return spi === UNUSED_STACK;
  const frame = env.cur.frame(reg.frameno);
  for (let at = spi; at > spi - slots; at--) if (isIterSlot(frame.slot(at))) return false;
  return true;
}

/** is_iter_reg_valid_init */
function stateOfExisting(env: Env, reg: Reg, arg: IterArg): 'usable' | 'unprotected' | 'none' {
  const spi = objectSlot(env, reg, 'iter', arg.slots);
  if (spi < 0) return 'none';
  const frame = env.cur.frame(reg.frameno);
  for (let at = spi; at > spi - arg.slots; at--) {
    const slot = frame.slot(at);
    if ((slot.reg.type & PTR_UNTRUSTED) !== 0) return 'unprotected';
    if (!isIterSlot(slot) || (slot.reg.refObjId !== 0) !== (at === spi)) return 'none';
    if (slot.reg.obj !== arg.btf || slot.reg.aux !== arg.btfId) return 'none';
  }
  return 'usable';
}

function create(env: Env, reg: Reg, regno: number, insnIdx: number, arg: IterArg): void {
  if (!isPlace(env, reg, arg.slots))
    env.reject('EINVAL', `expected uninitialized iter_${iterTypeText(arg.btf, arg.btfId)} as arg #${regno - 1}`);
  for (let i = 0; i < arg.slots; i++) checkMemAccess(env, insnIdx, regno, i * SLOT_BYTES, SLOT_BYTES, true, -1, false, false);
  const spi = objectSlot(env, reg, 'iter', arg.slots);
  checkFound(env, spi);
  const id = acquireReference(env, insnIdx);
  let type = PTR_TO_STACK;
  if (arg.rcuProtected) type |= isInRcuSection(env) ? MEM_RCU : PTR_UNTRUSTED;
  const frame = env.cur.writableFrame(reg.frameno);
  for (let at = spi; at > spi - arg.slots; at--) {
    const held = at === spi ? id : 0;
    frame.setSlot(at, fullSlot(STACK_ITER, new Reg(type, 0, 0, held, 0, arg.btf, arg.btfId, ACTIVE, ZERO)));
    markSlotWritten(env, reg.frameno, at);
    env.scratchSlot(at);
  }
}

function destroy(env: Env, place: IterPlace, slots: number): void {
  releaseReference(env, iterRefObjId(env, place));
  const frame = env.cur.writableFrame(place.frameno);
  for (let at = place.spi; at > place.spi - slots; at--) {
    frame.setSlot(at, INVALID_SLOT);
    markSlotWritten(env, place.frameno, at);
    env.scratchSlot(at);
  }
}

function checkExisting(env: Env, reg: Reg, regno: number, arg: IterArg): IterPlace {
  const found = stateOfExisting(env, reg, arg);
  switch (found) {
    case 'usable':
      break;
    case 'none':
      env.reject('EINVAL', `expected an initialized iter_${iterTypeText(arg.btf, arg.btfId)} as arg #${regno - 1}`);
      break;
    case 'unprotected':
      env.reject('EPROTO', `expected an RCU CS when using ${arg.kfunc}`);
      break;
    default:
      never(found, 'checkExisting');
  }
  const place = { frameno: reg.frameno, spi: objectSlot(env, reg, 'iter', arg.slots) };
  markObjectRead(env, place.frameno, place.spi, arg.slots);
  return place;
}

/**
 * Register `regno` is passed as an iterator. Returns where an existing iterator is and the reference that it held when the call
 * began; null for a new one.
 */
export function processIterArg(
  env: Env,
  regno: number,
  insnIdx: number,
  arg: IterArg,
): { readonly place: IterPlace; readonly refObjId: number } | null {
  const reg = env.cur.top.regs[regno] as Reg;
  if (arg.role === 'new') {
    create(env, reg, regno, insnIdx, arg);
    return null;
  }
  const place = checkExisting(env, reg, regno, arg);
  const refObjId = iterRefObjId(env, place);
  if (arg.role === 'destroy') destroy(env, place, arg.slots);
  return { place, refObjId };
}

function putState(state: State, place: IterPlace, bits: number): void {
  const frame = state.writableFrame(place.frameno);
  const slot = frame.slot(place.spi);
  const reg = slot.reg.clone();
  reg.aux2 = bits;
  frame.refineSlot(place.spi, new Slot(slot.typesLo, slot.typesHi, reg));
}

/** The turn of the loop that gets an element: queued, with scalars widened that changed since the turn before. */
function queueNextTurn(env: Env, insnIdx: number, place: IterPlace): void {
  const { cur } = env;
  if (!cur.parent || cur.parent.insnIdx !== insnIdx || !sameCallsites(cur.parent, cur))
    env.bug('bad parent state for iter next call');
  const previous = findPreviousEntry(env, cur.parent, insnIdx);
  const queued = pushStack(env, insnIdx + 1, insnIdx, false);
  const depth = (stateReg(queued, place).aux2 >>> DEPTH_SHIFT) + 1;
  putState(queued, place, (depth << DEPTH_SHIFT) | ACTIVE);
  if (previous) widenImpreciseScalars(env, previous, queued);
  const frame = queued.writableTop();
  frame.refineReg(0, notNull(frame.regs[0] as Reg));
}

/**
 * After a `next` kfunc R0 is an element or NULL. The path with an element is queued; this one goes on with NULL, and the iterator
 * stays drained from then on, as every iterator promises. So a loop is explored until its states repeat, and not turn by turn.
 */
export function processIterNext(env: Env, insnIdx: number, place: IterPlace): void {
  const bits = stateReg(env.cur, place).aux2;
  const state = bits & STATE_MASK;
  if (state !== ACTIVE && state !== DRAINED) env.bug(`unexpected iterator state ${state}`);
  if (state === ACTIVE) queueNextTurn(env, insnIdx, place);
  putState(env.cur, place, (bits & ~STATE_MASK) | DRAINED);
  markRegKnownZero(env, env.cur.writableTop(), 0);
}
