import { Fault, Malformed } from '../contracts/errors.ts';
import { checkEncoding } from '../isa/fields.ts';
import type { Insn } from '../isa/insn.ts';
import { GuestMemory, KERNEL_HIGH } from '../kernel/memory.ts';
import { EMPTY_PROGRAM } from '../program/program.ts';
import { ConstantPool } from './constant_pool.ts';
import type { Code, EngineHost } from './engine.ts';
import { Interpreter } from './interpreter.ts';
import { predecode } from './predecode.ts';

const MEMORY_LIMIT = 16 << 20;
const BUDGET = 10_000_000;

type ConformanceHelper = (registers: Int32Array) => void;

/** Ends the program with result 0. */
class Finished extends Error {}

/**
 * The helpers of the public ISA runner, by number. Helper 5 returns its argument, and ends the program when that is 0.
 */
const HELPERS: ReadonlyMap<number, ConformanceHelper> = new Map([
  [
    5,
    (registers) => {
      registers[0] = registers[2]!;
      registers[1] = registers[3]!;
      if ((registers[0]! | registers[1]!) === 0) throw new Finished();
    },
  ],
]);

class ConformanceHost implements EngineHost {
  readonly wideHi = 0;
  readonly arenaUserHigh = 0;

  call(index: number, registers: Int32Array): void {
    HELPERS.get(index)!(registers);
  }

  entryOf(lo: number, hi: number): number | null {
    return hi === 0 && HELPERS.has(lo) ? lo : null;
  }

  codeAt(): Code | null {
    return null;
  }

  tailCall(): Code | null {
    return null;
  }

  loadContext(): number {
    throw new Fault('bad-instruction', 'there is no context');
  }

  storeContext(): void {
    throw new Fault('bad-instruction', 'there is no context');
  }

  packetBytes(): Uint8Array | null {
    throw new Fault('bad-instruction', 'there is no packet');
  }

  nanoseconds(): number {
    return 0;
  }
}

/**
 * Runs instructions as the public ISA conformance runner wants them: r1 is the memory, r2 its length, there is no verifier, and
 * unused fields must be zero. r0, unsigned. Throws `Malformed` for an encoding that no runtime may take, `Fault` for a trap.
 */
export function runConformance(insns: readonly Insn[], data: Uint8Array): bigint {
  if (insns.length === 0) throw new Malformed('the program is empty');
  const breach = checkEncoding(insns);
  if (breach !== null) throw new Malformed(`insn ${breach.insn}: ${breach.message}`);
  const memory = new GuestMemory({ limit: MEMORY_LIMIT });
  const constants = new ConstantPool();
  const { words, reasons } = predecode(
    insns,
    {
      wide: (insn, next) => (insn.src === 0 ? { lo: insn.imm, hi: next.imm } : 'pseudo ld_imm64'),
      helper: (id) => (HELPERS.has(id) ? id : `no helper ${id}`),
      kfunc: () => 'there are no kfuncs',
      isReached: () => true,
      isProbe: () => false,
    },
    constants,
  );
  const engine = new Interpreter(memory, constants, new ConformanceHost());
  const offset = data.length === 0 ? 0 : memory.allocate(data.length, { what: 'memory of the test' });
  memory.u8.set(data, offset);
  const R = engine.registers;
  R[2] = offset;
  R[3] = offset === 0 ? 0 : KERNEL_HIGH;
  R[4] = data.length;
  engine.setBudget(BUDGET);
  try {
    engine.call({ program: EMPTY_PROGRAM, words, reasons, slots: insns.length, textBase: 0 }, 0);
  } catch (error) {
    if (error instanceof Finished) return 0n;
    throw error;
  }
  return (BigInt(R[1]! >>> 0) << 32n) | BigInt(R[0]! >>> 0);
}
