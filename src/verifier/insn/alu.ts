import { BPF_ADDR_SPACE_CAST, BPF_ALU64, BPF_X, classOf, opOf, sourceOf } from '../../isa/constants.ts';
import type { Insn } from '../../isa/insn.ts';
import type { Env } from '../env.ts';
import { pushStack } from '../paths.ts';
import { markChainPrecision } from '../prune/precision.ts';
import { alu, forked, forkWidth, negate } from '../scalar/alu.ts';
import { byteSwap, isUnchangedBySignExtension, signExtend32, signExtend64, zeroExtend32 } from '../scalar/extend.ts';
import { ADD, AND, ARSH, DIV, LSH, MOD, OR, RSH, SUB } from '../scalar/opcodes.ts';
import { constImm, constScalar, fitsUnsigned, isConst, isConst32, type Scalar, UNKNOWN } from '../scalar/scalar.ts';
import { checkOverwritten, checkReadable, checkWritable, markRegUnknown, setRegTo } from '../state/access.ts';
import { BPF_ADD_CONST, BPF_ADD_CONST32, BPF_ADD_CONST64, pointerReg, type Reg, scalarReg, UNKNOWN_REG } from '../state/reg.ts';
import { PTR_TO_ARENA, SCALAR_VALUE } from '../state/reg_types.ts';
import { isPointerValue } from '../state/trust.ts';
import { checkRegBounds } from './bounds_check.ts';
import { linkBeforeMov } from './linked_regs.ts';
import { adjustPointer } from './pointer_arithmetic.ts';
import { sanitizeValue } from './sanitize.ts';

const NEG = 0x80;
const MOV = 0xb0;
const END = 0xd0;

/** Operators as messages write them, by opcode nibble (bpf_alu_string). */
export const ALU_SYMBOLS = ['+=', '-=', '*=', '/=', '|=', '&=', '<<=', '>>=', 'neg', '%=', '^=', '=', 's>>=', 'endian'] as const;

const is64 = (insn: Insn): boolean => classOf(insn.code) === BPF_ALU64;

/** Signed division and modulo stand in `off`; nothing else does. */
const hasBadOffset = (insn: Insn): boolean => {
  const op = opOf(insn.code);
  return insn.off !== 0 && (insn.off !== 1 || (op !== MOD && op !== DIV));
};

/** Checks the encoding of an arithmetic instruction and advances the state over it (check_alu_op). */
export function checkAluOp(env: Env, insn: Insn): void {
  switch (opOf(insn.code)) {
    case NEG:
    case END:
      checkUnary(env, insn);
      break;
    case MOV:
      if (sourceOf(insn.code) === BPF_X) checkMovReg(env, insn);
      else checkMovImm(env, insn);
      break;
    default:
      checkBinary(env, insn);
  }
  checkRegBounds(env, insn.dst, 'alu');
}

function checkUnary(env: Env, insn: Insn): void {
  const isNeg = opOf(insn.code) === NEG;
  if (isNeg) {
    if (sourceOf(insn.code) !== 0 || insn.src !== 0 || insn.off !== 0 || insn.imm !== 0)
      env.reject('EINVAL', 'BPF_NEG uses reserved fields');
  } else if (
    insn.src !== 0 ||
    insn.off !== 0 ||
    (insn.imm !== 16 && insn.imm !== 32 && insn.imm !== 64) ||
    (is64(insn) && sourceOf(insn.code) !== 0)
  )
    env.reject('EINVAL', 'BPF_END uses reserved fields');
  checkReadable(env, insn.dst);
  if (isPointerValue(env, insn.dst)) env.reject('EACCES', `R${insn.dst} pointer arithmetic prohibited`);
  const reg = env.cur.top.regs[insn.dst] as Reg;
  if (reg.type !== SCALAR_VALUE) {
    checkOverwritten(env, insn.dst);
    return;
  }
  checkWritable(env, insn.dst);
  const next = reg.clone();
  if (isNeg) {
    // negation starts from the constant 0, which carries neither link nor offset
    next.scalar = negate(is64(insn), reg.scalar);
    next.id = 0;
    next.off = 0;
  } else {
    const swaps = is64(insn) || sourceOf(insn.code) === BPF_X;
    next.scalar = byteSwap(reg.scalar, insn.imm as 16 | 32 | 64, swaps);
    // without swap and truncation the number is the same, so its link holds
    if (swaps || insn.imm !== 64) {
      next.id = 0;
      next.off = 0;
    }
  }
  env.cur.writableTop().refineReg(insn.dst, next);
}

function checkMovImm(env: Env, insn: Insn): void {
  if (insn.src !== 0 || insn.off !== 0) env.reject('EINVAL', 'BPF_MOV uses reserved fields');
  checkWritable(env, insn.dst);
  setRegTo(env, env.cur.writableTop(), insn.dst, scalarReg(is64(insn) ? constImm(insn.imm) : constScalar(insn.imm, 0)));
}

function checkMovFields(env: Env, insn: Insn): void {
  const { off, imm } = insn;
  if (is64(insn) && off === BPF_ADDR_SPACE_CAST) {
    if (imm !== 1 && imm !== 1 << 16) env.reject('EINVAL', 'addr_space_cast insn can only convert between address space 1 and 0');
    if (!env.arena) env.reject('EINVAL', 'addr_space_cast insn can only be used in a program that has an associated arena');
  } else if ((off !== 0 && off !== 8 && off !== 16 && !(is64(insn) && off === 32)) || imm !== 0)
    env.reject('EINVAL', 'BPF_MOV uses reserved fields');
}

/** Copies a scalar with its value changed by `scalar`; the link survives where `linked`. */
function copyScalar(env: Env, insn: Insn, linked: boolean, change: (scalar: Scalar) => Scalar): void {
  const source = linked ? linkBeforeMov(env, insn.src) : (env.cur.top.regs[insn.src] as Reg);
  const frame = env.cur.writableTop();
  const scalar = change(source.scalar);
  let copy = source;
  if (scalar !== source.scalar || (!linked && source.id !== 0)) {
    copy = source.clone();
    copy.scalar = scalar;
    if (!linked) {
      copy.id = 0;
      copy.off = 0;
    }
  }
  frame.setRegPrecise(insn.dst, copy, frame.isPreciseReg(insn.src));
}

function checkMovReg(env: Env, insn: Insn): void {
  checkMovFields(env, insn);
  checkReadable(env, insn.src);
  checkWritable(env, insn.dst);
  if (is64(insn)) {
    if (insn.imm !== 0) castAddressSpace(env, insn);
    else if (insn.off === 0) {
      const reg = linkBeforeMov(env, insn.src);
      const frame = env.cur.writableTop();
      frame.setRegPrecise(insn.dst, reg, frame.isPreciseReg(insn.src));
    } else moveSignExtended(env, insn);
    return;
  }
  if (isPointerValue(env, insn.src)) env.reject('EACCES', `R${insn.src} partial copy of pointer`);
  const source = env.cur.top.regs[insn.src] as Reg;
  if (source.type !== SCALAR_VALUE) {
    setRegTo(env, env.cur.writableTop(), insn.dst, scalarReg(zeroExtend32(UNKNOWN)));
    return;
  }
  if (insn.off === 0) copyScalar(env, insn, fitsUnsigned(source.scalar, 32), zeroExtend32);
  else {
    const size = (insn.off >> 3) as 1 | 2;
    copyScalar(env, insn, isUnchangedBySignExtension(source.scalar, size), (s) => signExtend32(s, size));
  }
}

/** To the program's own address space (imm 1) the result is an arena pointer, the other way a number. */
function castAddressSpace(env: Env, insn: Insn): void {
  const frame = env.cur.writableTop();
  if (insn.imm !== 1) {
    markRegUnknown(env, frame, insn.dst);
    return;
  }
  const reg = pointerReg(PTR_TO_ARENA);
  reg.scalar = UNKNOWN;
  setRegTo(env, frame, insn.dst, reg);
}

function moveSignExtended(env: Env, insn: Insn): void {
  if (isPointerValue(env, insn.src)) env.reject('EACCES', `R${insn.src} sign-extension part of pointer`);
  const source = env.cur.top.regs[insn.src] as Reg;
  if (source.type !== SCALAR_VALUE) {
    markRegUnknown(env, env.cur.writableTop(), insn.dst);
    return;
  }
  const size = (insn.off >> 3) as 1 | 2 | 4;
  copyScalar(env, insn, isUnchangedBySignExtension(source.scalar, size), (s) => signExtend64(s, size));
}

function checkBinary(env: Env, insn: Insn): void {
  const op = opOf(insn.code);
  const fromReg = sourceOf(insn.code) === BPF_X;
  if (op > END) env.reject('EINVAL', `invalid BPF_ALU opcode ${op.toString(16)}`);
  if ((fromReg ? insn.imm : insn.src) !== 0 || hasBadOffset(insn)) env.reject('EINVAL', 'BPF_ALU uses reserved fields');
  if (fromReg) checkReadable(env, insn.src);
  checkReadable(env, insn.dst);
  if ((op === MOD || op === DIV) && !fromReg && insn.imm === 0) env.reject('EINVAL', 'div by zero');
  if ((op === LSH || op === RSH || op === ARSH) && !fromReg && (insn.imm < 0 || insn.imm >= (is64(insn) ? 64 : 32)))
    env.reject('EINVAL', `invalid shift ${insn.imm}`);
  checkWritable(env, insn.dst);
  adjustReg(env, insn);
}

/** Tells pointer arithmetic from arithmetic of numbers (adjust_reg_min_max_vals). */
function adjustReg(env: Env, insn: Insn): void {
  const top = env.cur.top;
  const dst = top.regs[insn.dst] as Reg;
  const fromReg = sourceOf(insn.code) === BPF_X;
  const src = fromReg ? (top.regs[insn.src] as Reg) : null;
  if (dst.type === PTR_TO_ARENA || src?.type === PTR_TO_ARENA) {
    if (dst.type !== PTR_TO_ARENA) env.cur.writableTop().setReg(insn.dst, src as Reg);
    return;
  }
  if (src === null) {
    const imm = constImm(insn.imm);
    if (dst.type !== SCALAR_VALUE) adjustPointer(env, insn, dst, imm, false);
    else adjustScalar(env, insn, dst, imm);
    return;
  }
  if (src.type !== SCALAR_VALUE) {
    if (dst.type !== SCALAR_VALUE) {
      if (opOf(insn.code) !== SUB || !env.allowPtrLeaks)
        env.reject('EACCES', `R${insn.dst} pointer ${ALU_SYMBOLS[opOf(insn.code) >> 4]} pointer prohibited`);
      markRegUnknown(env, env.cur.writableTop(), insn.dst);
      return;
    }
    markChainPrecision(env, insn.dst);
    adjustPointer(env, insn, src, dst.scalar, true);
  } else if (dst.type !== SCALAR_VALUE) {
    markChainPrecision(env, insn.src);
    adjustPointer(env, insn, dst, src.scalar, false);
  } else {
    if (top.isPreciseReg(insn.dst)) markChainPrecision(env, insn.src);
    adjustScalar(env, insn, dst, src.scalar);
  }
}

/** An unsafe shift, a division or a modulo forgets the register (is_safe_to_compute_dst_reg_range). */
const forgetsRegister = (op: number, result: Scalar): boolean =>
  result === UNKNOWN && (op === DIV || op === MOD || op === LSH || op === RSH || op === ARSH);

function adjustScalar(env: Env, insn: Insn, dst: Reg, src: Scalar): void {
  const op = opOf(insn.code);
  const wide = is64(insn);
  const computable = op !== DIV && op !== MOD;
  if (computable && (op === ADD || op === SUB)) sanitizeValue(env, insn);
  let before = dst;
  if ((op === AND || op === OR) && isConst(src)) before = forkScalar(env, insn, dst);
  const result = alu(op, wide, before.scalar, src);
  if (forgetsRegister(op, result)) {
    setRegTo(env, env.cur.writableTop(), insn.dst, UNKNOWN_REG);
    return;
  }
  const next = before.clone();
  next.scalar = result;
  linkSum(env, insn, next, dst, src);
  env.cur.writableTop().refineReg(insn.dst, next);
}

/** Follows 0 and -1 separately where that is all the register can be (maybe_fork_scalars). */
function forkScalar(env: Env, insn: Insn, dst: Reg): Reg {
  const width = forkWidth(dst.scalar);
  if (width === 0) return dst;
  const as = (word: 0 | -1): Reg => {
    const reg = dst.clone();
    reg.scalar = forked(dst.scalar, width, word);
    if (width === 64) {
      reg.id = 0;
      reg.off = 0;
    }
    return reg;
  };
  const branch = pushStack(env, env.insnIdx, env.insnIdx, false);
  branch.writableTop().refineReg(insn.dst, as(0));
  return as(-1);
}

/**
 * `r1 = r2; r1 += 8` keeps r1 linked to r2 with a distance of 8, so that a bound found for one holds for the other; any other
 * change of a number ends its link.
 */
function linkSum(env: Env, insn: Insn, next: Reg, dst: Reg, src: Scalar): void {
  const op = opOf(insn.code);
  const wide = is64(insn);
  const isSum = env.bpfCapable && (op === ADD || op === SUB) && dst.id !== 0;
  const isSelf = sourceOf(insn.code) === BPF_X && insn.src === insn.dst;
  if (!isSum || isSelf || !(wide ? isConst(src) : isConst32(src))) {
    next.off = 0;
    next.id = 0;
    return;
  }
  const distance = src.valueLo;
  const fits = wide ? src.valueHi === distance >> 31 : fitsUnsigned(dst.scalar, 32);
  const negatable = op === ADD || distance !== -0x80000000;
  if (!fits || !negatable || (next.id & BPF_ADD_CONST) !== 0) {
    next.off = 0;
    next.id = 0;
    return;
  }
  next.id |= wide ? BPF_ADD_CONST64 : BPF_ADD_CONST32;
  next.off = op === SUB ? -distance | 0 : distance;
}
