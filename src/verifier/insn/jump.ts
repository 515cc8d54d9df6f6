import { BPF_JMP, BPF_JMP32, BPF_MAY_GOTO, BPF_X, classOf, opOf, sourceOf } from '../../isa/constants.ts';
import type { Insn } from '../../isa/insn.ts';
import type { Env } from '../env.ts';
import { printInsnState } from '../log/insn_lines.ts';
import { pushStack } from '../paths.ts';
import { pushHistory } from '../prune/history.ts';
import { findPreviousEntry, widenImpreciseScalars } from '../prune/loops.ts';
import { markChainPrecision } from '../prune/precision.ts';
import { type Branch, branchTaken, flipComparison, isConstAt } from '../scalar/compare.ts';
import { JEQ, JNE } from '../scalar/opcodes.ts';
import { failsA, failsB, holdsA, holdsB, refine } from '../scalar/refine.ts';
import { constImm, type Scalar } from '../scalar/scalar.ts';
import { checkReadable, withScalar } from '../state/access.ts';
import { type Reg, scalarReg } from '../state/reg.ts';
import { baseOf, isMaybeNull, isPacketPointerAny, PTR_TO_BTF_ID, PTR_TO_STACK, SCALAR_VALUE } from '../state/reg_types.ts';
import { INSN_F_DST_REG_STACK, INSN_F_SRC_REG_STACK, type LinkedReg, type State } from '../state/state.ts';
import { isNotNull, isPointerValue } from '../state/trust.ts';
import { checkBounds } from './bounds_check.ts';
import { collectLinkedRegs, syncLinkedRegs } from './linked_regs.ts';
import { markPointerOrNull, notNull } from './null_branch.ts';
import { learnPacketRange, packetBranchTaken } from './packet_branch.ts';
import { pushSpeculativePath } from './sanitize.ts';

const JA = 0x00;
const JCOND = 0xe0;

/** Whether the jump is taken on every, no, or some run (is_branch_taken). */
function decide(dst: Reg, src: Reg, op: number, is32: boolean): Branch {
  if (dst.type === SCALAR_VALUE && src.type === SCALAR_VALUE) return branchTaken(dst.scalar, src.scalar, op, is32);
  if (!is32 && isPacketPointerAny(dst.type) && isPacketPointerAny(src.type)) return packetBranchTaken(dst, src, op);
  const isConstant = (reg: Reg): boolean => reg.type === SCALAR_VALUE && isConstAt(reg.scalar, is32);
  const isFlipped = !isConstant(src);
  const pointer = isFlipped ? src : dst;
  const number = isFlipped ? dst : src;
  if (!isConstant(number) || !isNotNull(pointer)) return -1;
  const { scalar } = number;
  if (scalar.valueLo !== 0 || (!is32 && scalar.valueHi !== 0)) return -1;
  const comparison = isFlipped ? flipComparison(op) : op;
  return comparison === JEQ ? 0 : comparison === JNE ? 1 : -1;
}

/** Goes on, or leaves the loop that a hidden counter bounds: both are explored (may_goto). */
function checkMayGoto(env: Env, insn: Insn): void {
  if (insn.code !== (BPF_JMP | JCOND) || insn.src !== BPF_MAY_GOTO || insn.dst !== 0 || insn.imm !== 0)
    env.reject('EINVAL', `invalid may_goto imm ${insn.imm}`);
  const index = env.insnIdx;
  const previous = findPreviousEntry(env, env.cur.parent, index);
  const queued = pushStack(env, index + 1, index, false);
  queued.mayGotoDepth++;
  if (previous) widenImpreciseScalars(env, previous, queued);
  env.insnIdx += insn.off;
}

/** A conditional jump: decided ones are followed, others split the path (check_cond_jmp_op). */
export function checkCondJmpOp(env: Env, insn: Insn): void {
  const op = opOf(insn.code);
  if (op === JA || op > JCOND) env.reject('EINVAL', `invalid BPF_JMP/JMP32 opcode ${op.toString(16)}`);
  if (op === JCOND) {
    checkMayGoto(env, insn);
    return;
  }
  const fromReg = sourceOf(insn.code) === BPF_X;
  const is32 = classOf(insn.code) === BPF_JMP32;
  checkReadable(env, insn.dst);
  const src = sourceOperand(env, insn, fromReg);
  const dst = env.cur.top.regs[insn.dst] as Reg;
  const flags =
    (fromReg && src.type === PTR_TO_STACK ? INSN_F_SRC_REG_STACK : 0) | (dst.type === PTR_TO_STACK ? INSN_F_DST_REG_STACK : 0);
  if (flags !== 0) pushHistory(env, env.cur, flags, null);

  const taken = decide(dst, src, op, is32);
  if (taken < 0) splitPath(env, insn, fromReg, is32);
  else {
    if (dst.type === SCALAR_VALUE) markChainPrecision(env, insn.dst);
    if (fromReg && src.type === SCALAR_VALUE) markChainPrecision(env, insn.src);
    if (!env.bypassSpecV1) pushSpeculativePath(env, insn, env.insnIdx + 1 + (taken === 1 ? 0 : insn.off), env.insnIdx);
    if (env.log.traces) printInsnState(env, env.cur, env.cur.curframe);
    if (taken === 1) env.insnIdx += insn.off;
  }
}

function sourceOperand(env: Env, insn: Insn, fromReg: boolean): Reg {
  if ((fromReg ? insn.imm : insn.src) !== 0) env.reject('EINVAL', 'BPF_JMP/JMP32 uses reserved fields');
  if (!fromReg) return scalarReg(constImm(insn.imm));
  checkReadable(env, insn.src);
  const { regs } = env.cur.top;
  const src = regs[insn.src] as Reg;
  const arePackets = isPacketPointerAny((regs[insn.dst] as Reg).type) && isPacketPointerAny(src.type);
  if (!arePackets && isPointerValue(env, insn.src)) env.reject('EACCES', `R${insn.src} pointer comparison prohibited`);
  return src;
}

const isLinked = (reg: Reg): boolean => reg.type === SCALAR_VALUE && reg.id !== 0;

/** Explores the jump later and goes on behind it, each with what the comparison says. */
function splitPath(env: Env, insn: Insn, fromReg: boolean, is32: boolean): void {
  const op = opOf(insn.code);
  const linked: LinkedReg[] = [];
  const operand = (regno: number): Reg => env.cur.top.regs[regno] as Reg;
  if (fromReg && isLinked(operand(insn.src))) collectLinkedRegs(env, env.cur, operand(insn.src).id, linked);
  if (isLinked(operand(insn.dst))) collectLinkedRegs(env, env.cur, operand(insn.dst).id, linked);
  if (linked.length > 1) pushHistory(env, env.cur, 0, linked);

  const taken = pushStack(env, env.insnIdx + insn.off + 1, env.insnIdx, false);
  const dst = operand(insn.dst);
  const src = fromReg ? operand(insn.src) : scalarReg(constImm(insn.imm));
  if (dst.type === SCALAR_VALUE && src.type === SCALAR_VALUE) refineBoth(env, insn, dst, src, taken, is32);

  if (linked.length > 0) {
    for (const regno of fromReg ? [insn.src, insn.dst] : [insn.dst]) {
      if (!isLinked(operand(regno))) continue;
      syncLinkedRegs(env.cur, regno, linked);
      syncLinkedRegs(taken, regno, linked);
    }
  }
  if (!is32 && fromReg) shareNullness(insn, op === JEQ ? taken : op === JNE ? env.cur : null);

  if (!is32 && !fromReg && insn.imm === 0 && (op === JEQ || op === JNE) && isMaybeNull(dst.type)) {
    markPointerOrNull(env, env.cur, insn.dst, op === JNE);
    markPointerOrNull(env, taken, insn.dst, op === JEQ);
  } else if (!learnPacketRange(insn, dst, src, env.cur, taken) && isPointerValue(env, insn.dst))
    env.reject('EACCES', `R${insn.dst} pointer comparison prohibited`);
  if (env.log.traces) printInsnState(env, env.cur, env.cur.curframe);
}

function refineBoth(env: Env, insn: Insn, dst: Reg, src: Reg, taken: State, is32: boolean): void {
  const fromReg = sourceOf(insn.code) === BPF_X;
  const isSame = fromReg && insn.src === insn.dst;
  refine(dst.scalar, src.scalar, opOf(insn.code), is32, isSame);
  const takenDst = checkBounds(env, holdsA, 'true_reg1');
  // a register that is compared with itself is put right once
  const takenSrc = isSame ? takenDst : checkBounds(env, holdsB, 'true_reg2');
  const stayDst = checkBounds(env, failsA, 'false_reg1');
  const staySrc = isSame ? stayDst : checkBounds(env, failsB, 'false_reg2');
  put(taken, insn.dst, takenDst);
  put(env.cur, insn.dst, stayDst);
  if (!fromReg || isSame) return;
  put(taken, insn.src, takenSrc);
  put(env.cur, insn.src, staySrc);
}

function put(state: State, regno: number, scalar: Scalar): void {
  const reg = state.top.regs[regno] as Reg;
  if (reg.scalar !== scalar) state.writableTop().refineReg(regno, withScalar(reg, scalar));
}

/** Where two pointers are equal and one is not NULL, neither is the other. */
function shareNullness(insn: Insn, equal: State | null): void {
  if (!equal) return;
  const { regs } = equal.top;
  const dst = regs[insn.dst] as Reg;
  const src = regs[insn.src] as Reg;
  if (dst.type === SCALAR_VALUE || src.type === SCALAR_VALUE || isMaybeNull(dst.type) === isMaybeNull(src.type)) return;
  // a pointer to a kernel struct may be NULL without saying so
  if (baseOf(dst.type) === PTR_TO_BTF_ID || baseOf(src.type) === PTR_TO_BTF_ID) return;
  const regno = isMaybeNull(src.type) ? insn.src : insn.dst;
  equal.writableTop().refineReg(regno, notNull(regs[regno] as Reg));
}
