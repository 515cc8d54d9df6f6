import {
  BPF_ALU,
  BPF_ALU64,
  BPF_ATOMIC,
  BPF_CALL,
  BPF_CMPXCHG,
  BPF_DW,
  BPF_EXIT,
  BPF_FETCH,
  BPF_IMM,
  BPF_JA,
  BPF_JMP,
  BPF_JMP32,
  BPF_LD,
  BPF_LDX,
  BPF_LOAD_ACQ,
  BPF_ST,
  BPF_STORE_REL,
  BPF_STX,
  BPF_X,
  classOf,
  modeOf,
  opOf,
  sizeOf,
  sourceOf,
} from '../../isa/constants.ts';
import type { Insn } from '../../isa/insn.ts';
import type { Env } from '../env.ts';
import { insnLine } from '../log/insn_lines.ts';
import { callSummary } from './call_summary.ts';
import { successorsOf } from './cfg.ts';
import { slotsOf } from './subprogs.ts';

/** Registers that may be read before they are written. Source: compute_live_registers, kernel/bpf/verifier.c. */

const CALLER_SAVED = 0x3f;
/** r0 to r10 */
const ALL = 0x7ff;
const MOV = 0xb0;
const END = 0xd0;
const JCOND = 0xe0;

const bits = (use: number, def: number): number => (def << 16) | use;

function atomicUse(insn: Insn, src: number, dst: number): number {
  switch (insn.imm) {
    case BPF_CMPXCHG:
      return bits(1 | dst | src, 1);
    case BPF_LOAD_ACQ:
      return bits(src, dst);
    case BPF_STORE_REL:
      return bits(dst | src, 0);
    default:
      return bits(dst | src, (insn.imm & BPF_FETCH) !== 0 ? src : 0);
  }
}

function callUse(env: Env, insn: Insn): number {
  const params = callSummary(env, insn)?.params ?? -1;
  return bits(params < 0 ? CALLER_SAVED & ~1 : ((1 << (params + 1)) - 1) & ~1, CALLER_SAVED);
}

/** Registers that an instruction reads (low half) and writes (high half). */
function useAndDef(env: Env, insn: Insn): number {
  const src = 1 << insn.src;
  const dst = 1 << insn.dst;
  const fromReg = sourceOf(insn.code) === BPF_X;
  switch (classOf(insn.code)) {
    case BPF_LD:
      return modeOf(insn.code) === BPF_IMM && sizeOf(insn.code) === BPF_DW ? bits(0, dst) : bits(ALL, 0);
    case BPF_LDX:
      return bits(src, dst);
    case BPF_ST:
      return bits(dst, 0);
    case BPF_STX:
      return modeOf(insn.code) === BPF_ATOMIC ? atomicUse(insn, src, dst) : bits(dst | src, 0);
    case BPF_ALU:
    case BPF_ALU64:
      if (opOf(insn.code) === END) return bits(dst, dst);
      if (opOf(insn.code) === MOV) return bits(fromReg ? src : 0, dst);
      return bits(fromReg ? dst | src : dst, dst);
    case BPF_JMP:
    case BPF_JMP32:
      switch (opOf(insn.code)) {
        case BPF_JA:
          return bits(fromReg ? dst : 0, 0);
        case JCOND:
          return bits(0, 0);
        case BPF_EXIT:
          return bits(1, 0);
        case BPF_CALL:
          return callUse(env, insn);
        default:
          return bits(fromReg ? dst | src : dst, 0);
      }
    default:
      return bits(ALL, 0);
  }
}

/** Computes the registers that are live before each instruction, against the flow until nothing changes. */
export function computeLiveRegs(env: Env): void {
  const { insns, postorder } = env;
  const before = env.facts.liveRegsBefore;
  const successors = successorsOf(env);
  const uses = new Int32Array(insns.length);
  for (let index = 0; index < insns.length; index++) uses[index] = useAndDef(env, insns[index] as Insn);
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = 0; i < postorder.length; i++) {
      const index = postorder[i] as number;
      const first = successors[index * 2] as number;
      const second = successors[index * 2 + 1] as number;
      let after = 0;
      if (first >= 0) after = before[first] as number;
      if (second >= 0) after |= before[second] as number;
      const use = uses[index] as number;
      const live = ((after & ~(use >>> 16)) | use) & ALL;
      if (live !== before[index]) {
        before[index] = live;
        changed = true;
      }
    }
  }
  if (env.log.tracesAll) printTable(env);
}

function printTable(env: Env): void {
  env.log.trace('Live regs before insn:\n');
  for (let index = 0; index < env.insns.length; index++) {
    const scc = env.facts.scc[index] as number;
    let regs = '';
    for (let regno = 0; regno < 10; regno++)
      regs += (((env.facts.liveRegsBefore[index] as number) >>> regno) & 1) !== 0 ? regno : '.';
    const component = scc !== 0 ? `${String(scc).padStart(3)} ` : '    ';
    env.log.trace(`${component}${String(index).padStart(3)}: ${regs} ${insnLine(env, index)}\n`);
    if (slotsOf(env.insn(index)) === 2) index++;
  }
}
