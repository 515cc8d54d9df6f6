import type { Insn } from './insn.ts';
import { opcodeOf } from './opcodes.ts';

const ALL_REGISTERS = 0xffff;

/**
 * The registers that an instruction reads, one bit each. Calls read r1 to r5, whatever they take. An instruction without
 * an entry reads everything. Source: compute_insn_live_regs, kernel/bpf/verifier.c.
 */
export function registersRead(insn: Insn): number {
  const opcode = opcodeOf(insn);
  if (opcode === null) return ALL_REGISTERS;
  let mask = opcode.alsoReads;
  if (opcode.dst === 'read' || opcode.dst === 'update') mask |= 1 << insn.dst;
  if (opcode.src === 'read' || opcode.src === 'update') mask |= 1 << insn.src;
  return mask;
}

/** The registers that hold something new after an instruction, one bit each; calls write r0 and lose r1 to r5. */
export function registersWritten(insn: Insn): number {
  const opcode = opcodeOf(insn);
  if (opcode === null) return 0;
  let mask = opcode.alsoWrites;
  if (opcode.dst === 'write' || opcode.dst === 'update') mask |= 1 << insn.dst;
  if (opcode.src === 'write' || opcode.src === 'update') mask |= 1 << insn.src;
  return mask;
}
