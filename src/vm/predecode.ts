import { Bug } from '../contracts/errors.ts';
import type { Insn } from '../isa/insn.ts';
import type { Opcode } from '../isa/opcode.ts';
import { opcodeOf } from '../isa/opcodes.ts';
import type { ConstantPool } from './constant_pool.ts';
import { DST_SHIFT, LARGEST_REGISTER, OP, type OpName, SRC_SHIFT, WORDS } from './ops.ts';

/** What only the machine knows about a program: where its maps and functions stand, and which entry a call runs. */
export interface Resolver {
  /** the 64-bit value of an `ld_imm64`; null with a reason when it names nothing */
  wide(insn: Insn, next: Insn, pc: number): { readonly lo: number; readonly hi: number } | string;
  /** index of the entry that runs this helper; a text says why there is none */
  helper(id: number): number | string;
  kfunc(insn: Insn): number | string;
  /** whether control flow can lead to this slot; what it cannot reach is not resolved */
  isReached(pc: number): boolean;
  /** loads at this slot are fault-protected (BTF pointers): a bad address reads 0 */
  isProbe(pc: number): boolean;
}

export interface Predecoded {
  /** four words for each slot (see ops.ts), and one `BAD` behind the last */
  readonly words: Int32Array;
  /** why an instruction is `BAD`, by the number in its word 2 */
  readonly reasons: readonly string[];
}

const BPF_TAIL_CALL_HELPER = 12;

/** Turns instructions into the interpreter's form. Never refuses: what has no meaning becomes `BAD` and faults when reached. */
export function predecode(insns: readonly Insn[], resolver: Resolver, constants: ConstantPool): Predecoded {
  const words = new Int32Array((insns.length + 1) * WORDS);
  const reasons: string[] = [];
  const put = (pc: number, op: number, dst: number, src: number, first: number, second: number): void => {
    const at = pc * WORDS;
    words[at] = op | ((dst * 2) << DST_SHIFT) | (src << SRC_SHIFT);
    words[at + 1] = first;
    words[at + 2] = second;
    words[at + 3] = pc;
  };
  const bad = (pc: number, reason: string): void => put(pc, OP.BAD, 0, 0, 0, reasons.push(reason) - 1);
  const badCall = (pc: number, reason: string): void => put(pc, OP.BAD, 0, 0, 1, reasons.push(reason) - 1);
  const constant = (lo: number, hi: number): number => {
    const register = constants.register(lo, hi);
    if (register > LARGEST_REGISTER) throw new Bug('more constants than the interpreter has registers');
    return register;
  };
  const target = (pc: number, delta: number): number => {
    const to = pc + 1 + delta;
    return (to >= 0 && to < insns.length ? to : insns.length) * WORDS;
  };

  for (let pc = 0; pc < insns.length; pc++) {
    const insn = insns[pc]!;
    const opcode = opcodeOf(insn);
    if (opcode === null || opcode.origin === 'kernel') {
      bad(pc, `unknown opcode 0x${insn.code.toString(16).padStart(2, '0')}`);
      continue;
    }
    if (insn.dst > 10 || insn.src > 10) {
      bad(pc, `R${insn.dst > 10 ? insn.dst : insn.src} is invalid`);
      continue;
    }
    const source = opcode.source === 'K' ? constant(insn.imm, insn.imm >> 31) : insn.src * 2;
    switch (opcode.kind) {
      case 'alu':
        put(pc, aluOp(opcode), insn.dst, source, 0, 0);
        break;
      case 'mov':
        put(pc, opcode.width === 64 ? OP.MOV64 : OP.MOV32, insn.dst, source, 0, 0);
        break;
      case 'movsx':
        if (opcode.cls === 'BPF_ALU' && insn.off === 32) bad(pc, 'sign extension of 32 to 32 bits');
        else put(pc, movsxOp(opcode, insn.off), insn.dst, source, 0, 0);
        break;
      case 'neg':
        put(pc, opcode.width === 64 ? OP.NEG64 : OP.NEG32, insn.dst, 0, 0, 0);
        break;
      case 'end': {
        const op = endOp(opcode, insn.imm);
        if (op < 0) bad(pc, `byte order of ${insn.imm} bits`);
        else put(pc, op, insn.dst, 0, 0, 0);
        break;
      }
      case 'addr_space_cast':
        put(pc, insn.imm === 1 ? OP.CAST_KERN : OP.CAST_USER, insn.dst, source, 0, 0);
        break;
      case 'mov_percpu':
        bad(pc, 'per-CPU move');
        break;
      case 'ldx':
      case 'load_acquire':
        putLoad(pc, insn, opcode.width, false);
        break;
      case 'ldsx':
        putLoad(pc, insn, opcode.width, true);
        break;
      case 'st':
        put(pc, storeOp(opcode.width), insn.dst, constant(insn.imm, insn.imm >> 31), insn.off, 0);
        break;
      case 'stx':
      case 'store_release':
        put(pc, storeOp(opcode.width), insn.dst, insn.src * 2, insn.off, 0);
        break;
      case 'atomic':
      case 'atomic_fetch':
      case 'xchg':
      case 'cmpxchg':
        if (opcode.width < 32) bad(pc, `atomic operation of ${opcode.width} bits`);
        else put(pc, opcode.width === 64 ? OP.ATOMIC64 : OP.ATOMIC32, insn.dst, insn.src * 2, insn.off, insn.imm);
        break;
      case 'ld_abs':
        put(pc, OP.LD_ABS, 0, 0, opcode.width / 8, insn.imm);
        break;
      case 'ld_ind':
        put(pc, OP.LD_IND, 0, insn.src * 2, opcode.width / 8, insn.imm);
        break;
      case 'ld_imm64': {
        const next = insns[pc + 1];
        const value = next === undefined || next.code !== 0 ? 'incomplete ld_imm64' : resolver.wide(insn, next, pc);
        if (typeof value === 'string') bad(pc, value);
        else put(pc, OP.LD_IMM64, insn.dst, constant(value.lo, value.hi), 0, 0);
        if (next !== undefined && next.code === 0) bad(++pc, 'jump into the middle of ld_imm64');
        break;
      }
      case 'ja':
        put(pc, OP.JA, 0, 0, target(pc, insn.off), 0);
        break;
      case 'gotol':
        put(pc, OP.JA, 0, 0, target(pc, insn.imm), 0);
        break;
      case 'may_goto':
        put(pc, OP.MAY_GOTO, 0, 0, target(pc, insn.off), 0);
        break;
      case 'jump':
        put(pc, jumpOp(opcode), insn.dst, source, target(pc, insn.off), 0);
        break;
      case 'call_helper': {
        const entry = insn.imm === BPF_TAIL_CALL_HELPER ? -1 : resolver.isReached(pc) ? resolver.helper(insn.imm) : 'not reached';
        if (typeof entry === 'string') badCall(pc, entry);
        else if (entry < 0) put(pc, OP.TAIL_CALL, 0, 0, 0, 0);
        else put(pc, OP.CALL_HELPER, 0, 0, 0, entry);
        break;
      }
      case 'call_subprog':
        put(pc, OP.CALL_LOCAL, 0, 0, target(pc, insn.imm), 0);
        break;
      case 'call_kfunc': {
        const entry = resolver.isReached(pc) ? resolver.kfunc(insn) : 'not reached';
        if (typeof entry === 'string') badCall(pc, entry);
        else put(pc, OP.CALL_KFUNC, 0, 0, 0, entry);
        break;
      }
      case 'callx':
        put(pc, OP.CALL_REG, insn.dst, 0, 0, 0);
        break;
      case 'exit':
        put(pc, OP.EXIT, 0, 0, 0, 0);
        break;
      default: {
        const rest: never = opcode.kind;
        throw new Bug(`predecode: unexpected ${rest}`);
      }
    }
  }
  bad(insns.length, 'execution left the program');
  return { words, reasons };

  function putLoad(pc: number, insn: Insn, width: number, signed: boolean): void {
    if (resolver.isProbe(pc)) put(pc, OP.PROBE_LOAD, insn.dst, insn.src * 2, insn.off, signed ? -(width / 8) : width / 8);
    else put(pc, loadOp(width, signed), insn.dst, insn.src * 2, insn.off, 0);
  }
}

const aluOp = (opcode: Opcode): number => OP[`${opcode.op.slice('BPF_'.length)}${opcode.width}` as OpName];

const jumpOp = (opcode: Opcode): number => OP[`${opcode.op.slice('BPF_'.length)}${opcode.width === 32 ? '32' : ''}` as OpName];

const movsxOp = (opcode: Opcode, bits: number): number => OP[`MOV${opcode.cls === 'BPF_ALU64' ? 64 : 32}_SX${bits}` as OpName];

const endOp = (opcode: Opcode, bits: number): number => {
  const swaps = opcode.cls === 'BPF_ALU64' || opcode.source === 'TO_BE';
  switch (bits) {
    case 16:
      return swaps ? OP.SWAP16 : OP.LE16;
    case 32:
      return swaps ? OP.SWAP32 : OP.LE32;
    case 64:
      return swaps ? OP.SWAP64 : OP.NOP;
    default:
      return -1;
  }
};

const loadOp = (width: number, signed: boolean): number => {
  switch (width) {
    case 8:
      return signed ? OP.LDSB : OP.LDB;
    case 16:
      return signed ? OP.LDSH : OP.LDH;
    case 32:
      return signed ? OP.LDSW : OP.LDW;
    default:
      return OP.LDDW;
  }
};

const storeOp = (width: number): number => {
  switch (width) {
    case 8:
      return OP.STB;
    case 16:
      return OP.STH;
    case 32:
      return OP.STW;
    default:
      return OP.STDW;
  }
};
