import { BPF_ALU64, BPF_X, classOf, opOf, sourceOf } from '../../isa/constants.ts';
import type { Insn } from '../../isa/insn.ts';
import { formatSigned } from '../../isa/word64.ts';
import type { Env } from '../env.ts';
import { regTypeText } from '../log/state_lines.ts';
import { ADD, AND, OR, SUB, XOR } from '../scalar/opcodes.ts';
import { addOffset, isContradictoryOffset, keepOffset, subOffset } from '../scalar/pointer_offset.ts';
import { isConst, isZero, type Scalar } from '../scalar/scalar.ts';
import { sync } from '../scalar/sync.ts';
import { setRegTo } from '../state/access.ts';
import { type Reg, UNKNOWN_REG } from '../state/reg.ts';
import {
  baseOf,
  CONST_PTR_TO_DYNPTR,
  CONST_PTR_TO_MAP,
  isMaybeNull,
  isPacketPointer,
  PTR_TO_BTF_ID,
  PTR_TO_BUF,
  PTR_TO_CTX,
  PTR_TO_FLOW_KEYS,
  PTR_TO_FUNC,
  PTR_TO_MAP_KEY,
  PTR_TO_MAP_VALUE,
  PTR_TO_MEM,
  PTR_TO_PACKET,
  PTR_TO_PACKET_META,
  PTR_TO_STACK,
  PTR_TO_TP_BUFFER,
  PTR_UNTRUSTED,
} from '../state/reg_types.ts';
import { ALU_SYMBOLS } from './alu.ts';
import { checkSanitizedBounds, sanitizePointer, sanitizePointerResult } from './sanitize.ts';

/** Offsets from a pointer stay below this, bytes (BPF_MAX_VAR_OFF). */
const MAX_VAR_OFF = 1 << 29;

const isSaneWord = (lo: number, hi: number): boolean => hi === lo >> 31 && lo < MAX_VAR_OFF && lo > -MAX_VAR_OFF;

/** Refuses an offset that could leave the range in which offsets add up (check_reg_sane_offset). `off` is the fixed part. */
function checkSaneOffset(env: Env, scalar: Scalar, off: number, type: number): void {
  if (isConst(scalar) && !isSaneWord(scalar.valueLo, scalar.valueHi))
    env.reject(
      'EINVAL',
      `math between ${regTypeText(type)} pointer and ${formatSigned(scalar.valueLo, scalar.valueHi)} is not allowed`,
    );
  if (off >= MAX_VAR_OFF || off <= -MAX_VAR_OFF)
    env.reject('EINVAL', `${regTypeText(type)} pointer offset ${off} is not allowed`);
  if (scalar.sminLo === 0 && scalar.sminHi === -0x80000000)
    env.reject('EINVAL', `math between ${regTypeText(type)} pointer and register with unbounded min value is not allowed`);
  if (!isSaneWord(scalar.sminLo, scalar.sminHi))
    env.reject(
      'EINVAL',
      `value ${formatSigned(scalar.sminLo, scalar.sminHi)} makes ${regTypeText(type)} pointer be out of bounds`,
    );
}

/** Whether numbers may be added to a pointer of this type at all. */
function allowsArithmetic(insn: Insn, pointer: Reg, off: Scalar): boolean {
  switch (baseOf(pointer.type)) {
    case PTR_TO_CTX:
    case PTR_TO_MAP_VALUE:
    case PTR_TO_MAP_KEY:
    case PTR_TO_STACK:
    case PTR_TO_PACKET_META:
    case PTR_TO_PACKET:
    case PTR_TO_TP_BUFFER:
    case PTR_TO_BTF_ID:
    case PTR_TO_MEM:
    case PTR_TO_BUF:
    case PTR_TO_FUNC:
    case CONST_PTR_TO_DYNPTR:
      return true;
    case PTR_TO_FLOW_KEYS:
      return isConst(off);
    case CONST_PTR_TO_MAP:
      return isZero(off) && opOf(insn.code) === ADD;
    default:
      return false;
  }
}

/** off ± value as fixed offset, or null when it leaves 32 bits. */
const fixedOffset = (off: number, value: Scalar, sign: 1 | -1): number | null => {
  if (!isConst(value) || value.valueHi !== value.valueLo >> 31) return null;
  const sum = off + sign * value.valueLo;
  return sum === (sum | 0) ? sum : null;
};

/**
 * Pointer plus or minus a number (adjust_ptr_min_max_vals). A known number goes into the fixed offset; any other one into the
 * variable offset, and a packet pointer then is a new one whose proven range is lost. `reversed`: the destination was the number.
 */
export function adjustPointer(env: Env, insn: Insn, pointer: Reg, off: Scalar, reversed: boolean): void {
  const { dst } = insn;
  const op = opOf(insn.code);
  if (isContradictoryOffset(off)) {
    setRegTo(env, env.cur.writableTop(), dst, UNKNOWN_REG);
    return;
  }
  if (classOf(insn.code) !== BPF_ALU64) {
    if (op !== SUB || !env.allowPtrLeaks) env.reject('EACCES', `R${dst} 32-bit pointer arithmetic prohibited`);
    setRegTo(env, env.cur.writableTop(), dst, UNKNOWN_REG);
    return;
  }
  if (isMaybeNull(pointer.type))
    env.reject('EACCES', `R${dst} pointer arithmetic on ${regTypeText(pointer.type)} prohibited, null-check it first`);
  // accesses through it are fault-protected, so offsets are not tracked
  if (baseOf(pointer.type) === PTR_TO_MEM && (pointer.type & PTR_UNTRUSTED) !== 0) return;
  if (!allowsArithmetic(insn, pointer, off))
    env.reject('EACCES', `R${dst} pointer arithmetic on ${regTypeText(pointer.type)} prohibited`);
  checkSaneOffset(env, off, 0, pointer.type);
  checkSaneOffset(env, pointer.scalar, pointer.off, pointer.type);
  const window = op === ADD || op === SUB ? sanitizePointer(env, insn, pointer, off, reversed) : null;

  const next = offsetPointer(env, insn, pointer, off, reversed);
  checkSaneOffset(env, next.scalar, next.off, pointer.type);
  next.scalar = sync(next.scalar);
  env.cur.writableTop().setReg(dst, next);
  checkSanitizedBounds(env, insn, next);
  if (window !== null) sanitizePointerResult(env, insn, next, off, window, reversed);
}

function offsetPointer(env: Env, insn: Insn, pointer: Reg, off: Scalar, reversed: boolean): Reg {
  const { dst } = insn;
  const op = opOf(insn.code);
  switch (op) {
    case ADD: {
      const next = pointer.clone();
      const fixed = fixedOffset(pointer.off, off, 1);
      if (fixed !== null) {
        next.off = fixed;
        next.scalar = keepOffset(pointer.scalar);
        return withoutReference(next, reversed, insn);
      }
      next.scalar = addOffset(pointer.scalar, off);
      if (isPacketPointer(pointer.type)) {
        next.id = env.newId();
        next.aux = 0;
      }
      return withoutReference(next, reversed, insn);
    }
    case SUB: {
      if (reversed) env.reject('EACCES', `R${dst} tried to subtract pointer from scalar`);
      if (baseOf(pointer.type) === PTR_TO_STACK && pointer.type === PTR_TO_STACK)
        env.reject('EACCES', `R${dst} subtraction from stack pointer prohibited`);
      const next = pointer.clone();
      const fixed = fixedOffset(pointer.off, off, -1);
      if (fixed !== null) {
        next.off = fixed;
        next.scalar = keepOffset(pointer.scalar);
        return next;
      }
      next.scalar = subOffset(pointer.scalar, off);
      if (isPacketPointer(pointer.type)) {
        next.id = env.newId();
        if (off.sminHi < 0) next.aux = 0;
      }
      return next;
    }
    case AND:
    case OR:
    case XOR:
      return env.reject('EACCES', `R${dst} bitwise operator ${ALU_SYMBOLS[op >> 4]} on pointer prohibited`);
    default:
      return env.reject('EACCES', `R${dst} pointer arithmetic with ${ALU_SYMBOLS[op >> 4]} operator prohibited`);
  }
}

/**
 * `number += pointer` takes over type, id and offsets of the pointer but not its reference or frame number: the kernel copies
 * only the former into the register that held the number.
 */
function withoutReference(next: Reg, reversed: boolean, insn: Insn): Reg {
  if (!reversed || sourceOf(insn.code) !== BPF_X) return next;
  next.refObjId = 0;
  next.frameno = 0;
  return next;
}
