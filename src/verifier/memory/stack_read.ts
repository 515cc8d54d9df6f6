import type { Env } from '../env.ts';
import { verboseLineInfo } from '../log/insn_lines.ts';
import { tnumText } from '../log/scalar_text.ts';
import { checkFastcallStackContract } from '../program/fastcall.ts';
import { pushHistory } from '../prune/history.ts';
import { markStackRead } from '../prune/liveness.ts';
import { fitsUnsigned, isConst, isZero } from '../scalar/scalar.ts';
import { markRegUnknown, setRegTo } from '../state/access.ts';
import type { Frame } from '../state/frame.ts';
import { type Reg, ZERO_REG } from '../state/reg.ts';
import { SCALAR_VALUE } from '../state/reg_types.ts';
import { isSpilled, type Slot, STACK_INVALID, STACK_MISC, STACK_SPILL, STACK_ZERO, slotType } from '../state/stack_slot.ts';
import { signedNumber } from './region.ts';
import { checkStackRangeInitialized } from './stack_range.ts';
import { stackAccessFlags, writeStackFixed, writeStackVariable } from './stack_write.ts';

/** Loads from the stack, and the rules that loads and stores share. Source: check_stack_read and around it. */

const MAX_BPF_STACK = 512;
const MAX_VAR_OFF = 1 << 29;

/** The access lies in the frame; the tracked stack then reaches that deep (check_stack_access_within_bounds). */
export function checkStackBounds(env: Env, regno: number, off: number, size: number, write: boolean): void {
  const reg = env.cur.top.regs[regno] as Reg;
  const { scalar } = reg;
  const isFixed = isConst(scalar);
  let min = signedNumber(scalar.valueLo, scalar.valueHi) + off;
  let max = min + size;
  if (!isFixed) {
    const smin = signedNumber(scalar.sminLo, scalar.sminHi);
    const smax = signedNumber(scalar.smaxLo, scalar.smaxHi);
    if (smax >= MAX_VAR_OFF || smin <= -MAX_VAR_OFF)
      env.reject('EACCES', `invalid unbounded variable-offset${write ? ' write to' : ' read from'} stack R${regno}`);
    min = smin + off;
    max = smax + off + size;
  }
  const frame = env.cur.frame(reg.frameno);
  const lowest = write || env.allowUninitStack ? -MAX_BPF_STACK : -frame.allocatedStack;
  const isOutside = min < lowest || min > -1;
  if (isOutside || max > 0 || size < 0) {
    const errno = isOutside ? 'EACCES' : max > 0 ? 'EINVAL' : 'EFAULT';
    const verb = write ? ' write to' : ' read from';
    if (isFixed) env.reject(errno, `invalid${verb} stack R${regno} off=${off} size=${size}`);
    env.reject(errno, `invalid variable-offset${verb} stack R${regno} var_off=${tnumText(scalar)} off=${off} size=${size}`);
  }
  growStack(env, reg.frameno, -min);
}

/** grow_stack_state: the frame tracks at least so many bytes, its function uses them. */
export function growStack(env: Env, frameno: number, bytes: number): void {
  const frame = env.cur.frame(frameno);
  if (frame.allocatedStack >= bytes) return;
  const depth = (bytes + 7) & ~7;
  env.cur.writableFrame(frameno).growStack(depth);
  const sub = env.subprogs[frame.subprogno];
  if (sub && sub.stackDepth < depth) sub.stackDepth = depth;
}

/** A load or store through a pointer to the stack; `off` includes the fixed offset of the pointer. */
export function checkStackAccess(
  env: Env,
  regno: number,
  off: number,
  size: number,
  write: boolean,
  valueRegno: number,
  insnIdx: number,
): void {
  checkStackBounds(env, regno, off, size, write);
  const reg = env.cur.top.regs[regno] as Reg;
  if (isConst(reg.scalar)) {
    const at = off + reg.scalar.valueLo;
    if (write) writeStackFixed(env, reg.frameno, at, size, valueRegno, insnIdx);
    else readStackFixed(env, reg.frameno, at, size, valueRegno);
  } else if (write) writeStackVariable(env, reg.frameno, reg, off, size, valueRegno, insnIdx);
  else readStackVariable(env, regno, reg, off, size, valueRegno);
}

const spillSize = (slot: Slot): number => {
  let size = 1;
  for (let i = 7; i > 0 && slotType(slot, i - 1) === STACK_SPILL; i--) size++;
  return size;
};

/** Reads a byte that nothing wrote: allowed for a privileged loader. */
function checkReadableByte(env: Env, type: number, off: number, i: number, size: number): void {
  if (type === STACK_MISC || type === STACK_ZERO || (type === STACK_INVALID && env.allowUninitStack)) return;
  env.reject('EACCES', `invalid read from stack off ${off}+${i} size ${size}`);
}

function readStackFixed(env: Env, frameno: number, off: number, size: number, dstRegno: number): void {
  const spi = (-off - 1) >> 3;
  const frame = env.cur.frame(frameno);
  const slot = frame.slot(spi);
  env.scratchSlot(spi);
  checkFastcallStackContract(env, env.cur.curframe, env.insnIdx, off);
  markStackRead(env, frameno, env.insnIdx, spi < 32 ? 1 << spi : 0, spi < 32 ? 0 : 1 << (spi - 32));
  if (!isSpilled(slot)) {
    for (let i = 0; i < size; i++) checkReadableByte(env, slotType(slot, (-off - 1 - i) & 7), off, i, size);
    if (dstRegno >= 0) readBytes(env, frame, off, off + size, dstRegno);
    return;
  }
  const width = spillSize(slot);
  const { reg } = slot;
  let restores = true;
  if (size === 8 && width === 8) {
    if (dstRegno >= 0) env.cur.writableTop().setRegPrecise(dstRegno, reg, frame.isPreciseSlot(spi));
    else if (!env.allowPtrLeaks && reg.type !== SCALAR_VALUE) env.reject('EACCES', `leaking pointer from stack off ${off}`);
  } else {
    if (reg.type !== SCALAR_VALUE) {
      verboseLineInfo(env, env.insnIdx, '; ');
      env.reject('EACCES', 'invalid size of register fill');
    }
    if (dstRegno < 0) return;
    restores = fillNarrow(env, frame, spi, slot, off, size, width, dstRegno);
  }
  if (restores) pushHistory(env, env.cur, stackAccessFlags(frameno, spi), null);
}

/** The low bytes of a spilled scalar stand at its lowest addresses on a little-endian machine (bpf_stack_narrow_access_ok). */
const isLowPart = (off: number, size: number, width: number): boolean => size <= width && (off & 7) === 0;

/** A fill narrower than 8 bytes, or from a narrow spill. False when it does not restore the spilled register. */
function fillNarrow(
  env: Env,
  frame: Frame,
  spi: number,
  slot: Slot,
  off: number,
  size: number,
  width: number,
  dstRegno: number,
): boolean {
  const { reg } = slot;
  if (isLowPart(off, size, width)) {
    let filled = reg;
    if (reg.id !== 0 && !fitsUnsigned(reg.scalar, size * 8)) {
      filled = reg.clone();
      filled.id = 0;
    }
    env.cur.writableTop().setRegPrecise(dstRegno, filled, frame.isPreciseSlot(spi));
    return true;
  }
  let spills = 0;
  let zeros = 0;
  for (let i = 0; i < size; i++) {
    const type = slotType(slot, (-off - 1 - i) & 7);
    if (type === STACK_SPILL) spills++;
    else if (type === STACK_ZERO) zeros++;
    else checkReadableByte(env, type, off, i, size);
  }
  const isZeroSpill = spills === size && isZero(reg.scalar);
  if (isZeroSpill || zeros === size) putZero(env, dstRegno);
  else markRegUnknown(env, env.cur.writableTop(), dstRegno);
  return isZeroSpill;
}

/** A known zero that is read as data is precise at once when the loader lacks CAP_BPF (__mark_reg_const_zero). */
const putZero = (env: Env, regno: number): void => setRegTo(env, env.cur.writableTop(), regno, ZERO_REG);

/** What bytes [min, max) give: zero when all are known zeros, else anything (mark_reg_stack_read). */
function readBytes(env: Env, frame: Frame, min: number, max: number, dstRegno: number): void {
  let isAllZero = true;
  for (let at = min; at < max && isAllZero; at++) {
    const spi = (-at - 1) >> 3;
    env.scratchSlot(spi);
    isAllZero = slotType(frame.slot(spi), (-at - 1) & 7) === STACK_ZERO;
  }
  if (isAllZero) putZero(env, dstRegno);
  else markRegUnknown(env, env.cur.writableTop(), dstRegno);
}

function readStackVariable(env: Env, regno: number, reg: Reg, off: number, size: number, dstRegno: number): void {
  if (dstRegno < 0)
    env.reject(
      'EACCES',
      `variable offset stack pointer cannot be passed into helper function; var_off=${tnumText(reg.scalar)} off=${off} size=${size}`,
    );
  checkStackRangeInitialized(env, regno, off, size, false, false, null);
  const min = signedNumber(reg.scalar.sminLo, reg.scalar.sminHi) + off;
  const max = signedNumber(reg.scalar.smaxLo, reg.scalar.smaxHi) + off;
  readBytes(env, env.cur.frame(reg.frameno), min, max + size, dstRegno);
  checkFastcallStackContract(env, reg.frameno, env.insnIdx, min);
}
