import { Fault } from '../contracts/errors.ts';
import {
  bswap32,
  divSigned,
  divUnsigned,
  modSigned,
  modUnsigned,
  mulHigh32,
  sar,
  shl,
  shr,
  hi as wordHi,
} from '../isa/word64.ts';
import { type GuestMemory, KERNEL_HIGH } from '../kernel/memory.ts';
import { atomic32, atomic64 } from './atomic.ts';
import type { ConstantPool } from './constant_pool.ts';
import type { Code, Engine, EngineHost, StepHook } from './engine.ts';
import { FrameStack } from './frames.ts';
import { WORDS } from './ops.ts';
import { SlowPath } from './slow_path.ts';

/** Tail calls of one run. Source: MAX_TAIL_CALL_CNT, include/linux/bpf.h. */
const MAX_TAIL_CALL_CNT = 33;
/** Instructions between two looks at the budget. */
const QUANTUM = 1 << 20;

/**
 * The meaning of the instruction set, with every check on. Registers are int32 halves; a memory access is one comparison of the
 * address's high half and one of the shadow tag for each granule, and everything unusual goes the slow path.
 */
export class Interpreter implements Engine {
  readonly name = 'interpreter';
  readonly #memory: GuestMemory;
  readonly #constants: ConstantPool;
  readonly #host: EngineHost;
  readonly #frames: FrameStack;
  readonly #slow: SlowPath;
  #hook: StepHook | null = null;
  /** granted but not used in the loop that runs */
  #fuel = 0;
  /** not yet granted */
  #reserve = 0;
  #granted = 0;
  #tailCalls = 0;

  constructor(memory: GuestMemory, constants: ConstantPool, host: EngineHost) {
    this.#memory = memory;
    this.#constants = constants;
    this.#host = host;
    this.#frames = new FrameStack(memory);
    this.#slow = new SlowPath(memory, host);
  }

  get registers(): Int32Array {
    return this.#constants.registers;
  }

  get code(): Code | null {
    return this.#frames.depth === 0 ? null : this.#frames.code;
  }

  get executed(): number {
    return this.#granted - this.#fuel;
  }

  setBudget(instructions: number): void {
    this.#granted -= this.#fuel;
    this.#fuel = 0;
    this.#reserve = instructions;
  }

  setStepHook(hook: StepHook | null): void {
    this.#hook = hook;
    this.#reserve += this.#fuel;
    this.#granted -= this.#fuel;
    this.#fuel = 0;
  }

  call(code: Code, slot: number): void {
    const R = this.registers;
    if (this.#frames.depth === 0) this.#tailCalls = 0;
    const saved = this.#frames.depth === 0 ? null : R.slice(2, 22);
    R[20] = this.#frames.enter(code);
    R[21] = KERNEL_HIGH;
    this.#loop(this.#frames.depth, slot * WORDS);
    if (saved !== null) R.set(saved, 2);
  }

  unwind(): void {
    this.#frames.clear();
  }

  /** Called when the fuel is used up: looks at the budget, calls the hook, and grants more. */
  #refuel(words: Int32Array, p: number): number {
    if (this.#reserve <= 0) {
      this.#fuel = 0;
      throw new Fault('budget', 'the instruction budget is used up');
    }
    const grant = this.#hook === null ? Math.min(QUANTUM, this.#reserve) : 1;
    this.#reserve -= grant;
    this.#granted += grant;
    this.#fuel = grant;
    this.#hook?.(this.#frames.code, words[p + 3]!, this.registers, this.#frames.depth);
    return grant - 1;
  }

  #tailCall(R: Int32Array): boolean {
    if (this.#tailCalls >= MAX_TAIL_CALL_CNT) return false;
    const target = this.#host.tailCall({ lo: R[4]!, hi: R[5]! }, R[6]!);
    if (target === null) return false;
    this.#tailCalls++;
    R[20] = this.#frames.replace(target);
    return true;
  }

  /** Runs from word `p` until the frame at depth `floor` returns. */
  #loop(floor: number, start: number): void {
    const R = this.registers;
    const memory = this.#memory;
    const frames = this.#frames;
    const slow = this.#slow;
    const { base, high } = memory;
    let words = frames.code.words;
    let view = memory.view;
    let shadow = memory.shadow;
    let fuel = this.#fuel;
    let p = start;
    try {
      for (;;) {
        if (--fuel < 0) fuel = this.#refuel(words, p);
        const word = words[p]!;
        const d = (word >>> 7) & 0x1f;
        const s = word >>> 12;
        switch (word & 0x7f) {
          case 1: {
            // ADD64
            const a = R[d]!;
            const lo = (a + R[s]!) | 0;
            R[d + 1] = R[d + 1]! + R[s + 1]! + (lo >>> 0 < a >>> 0 ? 1 : 0);
            R[d] = lo;
            break;
          }
          case 2: {
            // SUB64
            const a = R[d]!;
            const b = R[s]!;
            R[d + 1] = R[d + 1]! - R[s + 1]! - (a >>> 0 < b >>> 0 ? 1 : 0);
            R[d] = a - b;
            break;
          }
          case 3: {
            // MUL64
            const a = R[d]!;
            const b = R[s]!;
            R[d + 1] = mulHigh32(a, b) + Math.imul(a, R[s + 1]!) + Math.imul(R[d + 1]!, b);
            R[d] = Math.imul(a, b);
            break;
          }
          case 4: // DIV64
            if ((R[d + 1]! | R[s + 1]!) === 0) {
              R[d] = R[s] === 0 ? 0 : (R[d]! >>> 0) / (R[s]! >>> 0);
            } else {
              R[d] = divUnsigned(R[d]!, R[d + 1]!, R[s]!, R[s + 1]!);
              R[d + 1] = wordHi;
            }
            break;
          case 5: // SDIV64
            R[d] = divSigned(R[d]!, R[d + 1]!, R[s]!, R[s + 1]!);
            R[d + 1] = wordHi;
            break;
          case 6: // MOD64
            if ((R[d + 1]! | R[s + 1]!) === 0) {
              if (R[s] !== 0) R[d] = (R[d]! >>> 0) % (R[s]! >>> 0);
            } else {
              R[d] = modUnsigned(R[d]!, R[d + 1]!, R[s]!, R[s + 1]!);
              R[d + 1] = wordHi;
            }
            break;
          case 7: // SMOD64
            R[d] = modSigned(R[d]!, R[d + 1]!, R[s]!, R[s + 1]!);
            R[d + 1] = wordHi;
            break;
          case 8: // OR64
            R[d] = R[d]! | R[s]!;
            R[d + 1] = R[d + 1]! | R[s + 1]!;
            break;
          case 9: // AND64
            R[d] = R[d]! & R[s]!;
            R[d + 1] = R[d + 1]! & R[s + 1]!;
            break;
          case 10: // XOR64
            R[d] = R[d]! ^ R[s]!;
            R[d + 1] = R[d + 1]! ^ R[s + 1]!;
            break;
          case 11: // LSH64
            R[d] = shl(R[d]!, R[d + 1]!, R[s]!);
            R[d + 1] = wordHi;
            break;
          case 12: // RSH64
            R[d] = shr(R[d]!, R[d + 1]!, R[s]!);
            R[d + 1] = wordHi;
            break;
          case 13: // ARSH64
            R[d] = sar(R[d]!, R[d + 1]!, R[s]!);
            R[d + 1] = wordHi;
            break;
          case 14: // NEG64
            R[d + 1] = ~R[d + 1]! + (R[d] === 0 ? 1 : 0);
            R[d] = -R[d]!;
            break;
          case 15: // MOV64
          case 78: // LD_IMM64
            R[d] = R[s]!;
            R[d + 1] = R[s + 1]!;
            if ((word & 0x7f) === 78) p += WORDS;
            break;
          case 16: // MOV64_SX8
            R[d] = (R[s]! << 24) >> 24;
            R[d + 1] = R[d]! >> 31;
            break;
          case 17: // MOV64_SX16
            R[d] = (R[s]! << 16) >> 16;
            R[d + 1] = R[d]! >> 31;
            break;
          case 18: // MOV64_SX32
            R[d] = R[s]!;
            R[d + 1] = R[d]! >> 31;
            break;
          case 19: // ADD32
            R[d] = R[d]! + R[s]!;
            R[d + 1] = 0;
            break;
          case 20: // SUB32
            R[d] = R[d]! - R[s]!;
            R[d + 1] = 0;
            break;
          case 21: // MUL32
            R[d] = Math.imul(R[d]!, R[s]!);
            R[d + 1] = 0;
            break;
          case 22: // DIV32
            R[d] = R[s] === 0 ? 0 : (R[d]! >>> 0) / (R[s]! >>> 0);
            R[d + 1] = 0;
            break;
          case 23: // SDIV32
            R[d] = R[s] === 0 ? 0 : R[d]! / R[s]!;
            R[d + 1] = 0;
            break;
          case 24: // MOD32
            if (R[s] !== 0) R[d] = (R[d]! >>> 0) % (R[s]! >>> 0);
            R[d + 1] = 0;
            break;
          case 25: // SMOD32
            if (R[s] !== 0) R[d] = R[d]! % R[s]!;
            R[d + 1] = 0;
            break;
          case 26: // OR32
            R[d] = R[d]! | R[s]!;
            R[d + 1] = 0;
            break;
          case 27: // AND32
            R[d] = R[d]! & R[s]!;
            R[d + 1] = 0;
            break;
          case 28: // XOR32
            R[d] = R[d]! ^ R[s]!;
            R[d + 1] = 0;
            break;
          case 29: // LSH32
            R[d] = R[d]! << R[s]!;
            R[d + 1] = 0;
            break;
          case 30: // RSH32
            R[d] = R[d]! >>> R[s]!;
            R[d + 1] = 0;
            break;
          case 31: // ARSH32
            R[d] = R[d]! >> R[s]!;
            R[d + 1] = 0;
            break;
          case 32: // NEG32
            R[d] = -R[d]!;
            R[d + 1] = 0;
            break;
          case 33: // MOV32
            R[d] = R[s]!;
            R[d + 1] = 0;
            break;
          case 34: // MOV32_SX8
            R[d] = (R[s]! << 24) >> 24;
            R[d + 1] = 0;
            break;
          case 35: // MOV32_SX16
            R[d] = (R[s]! << 16) >> 16;
            R[d + 1] = 0;
            break;
          case 36: // LE16
            R[d] = R[d]! & 0xffff;
            R[d + 1] = 0;
            break;
          case 37: // LE32
            R[d + 1] = 0;
            break;
          case 38: // NOP
            break;
          case 39: // SWAP16
            R[d] = ((R[d]! & 0xff) << 8) | ((R[d]! >>> 8) & 0xff);
            R[d + 1] = 0;
            break;
          case 40: // SWAP32
            R[d] = bswap32(R[d]!);
            R[d + 1] = 0;
            break;
          case 41: {
            // SWAP64
            const lo = R[d]!;
            R[d] = bswap32(R[d + 1]!);
            R[d + 1] = bswap32(lo);
            break;
          }
          case 42: {
            // LDB
            const at = (R[s]! + words[p + 1]!) | 0;
            if (R[s + 1] === high && shadow[(at - base) >>> 3] === 0) {
              R[d] = view.getUint8(at);
              R[d + 1] = 0;
            } else slow.load(R, words, p, 1, false);
            break;
          }
          case 43: {
            // LDH
            const at = (R[s]! + words[p + 1]!) | 0;
            if (R[s + 1] === high && shadow[(at - base) >>> 3] === 0 && shadow[(at + 1 - base) >>> 3] === 0) {
              R[d] = view.getUint16(at, true);
              R[d + 1] = 0;
            } else slow.load(R, words, p, 2, false);
            break;
          }
          case 44: {
            // LDW
            const at = (R[s]! + words[p + 1]!) | 0;
            if (R[s + 1] === high && shadow[(at - base) >>> 3] === 0 && shadow[(at + 3 - base) >>> 3] === 0) {
              R[d] = view.getInt32(at, true);
              R[d + 1] = 0;
            } else slow.load(R, words, p, 4, false);
            break;
          }
          case 45: {
            // LDDW
            const at = (R[s]! + words[p + 1]!) | 0;
            if (R[s + 1] === high && shadow[(at - base) >>> 3] === 0 && shadow[(at + 7 - base) >>> 3] === 0) {
              R[d] = view.getInt32(at, true);
              R[d + 1] = view.getInt32(at + 4, true);
            } else slow.load(R, words, p, 8, false);
            break;
          }
          case 46: // LDSB
            slow.load(R, words, p, 1, true);
            break;
          case 47: // LDSH
            slow.load(R, words, p, 2, true);
            break;
          case 48: // LDSW
            slow.load(R, words, p, 4, true);
            break;
          case 49: {
            // STB
            const at = (R[d]! + words[p + 1]!) | 0;
            if (R[d + 1] === high && shadow[(at - base) >>> 3] === 0) view.setInt8(at, R[s]!);
            else slow.store(R, words, p, 1);
            break;
          }
          case 50: {
            // STH
            const at = (R[d]! + words[p + 1]!) | 0;
            if (R[d + 1] === high && shadow[(at - base) >>> 3] === 0 && shadow[(at + 1 - base) >>> 3] === 0) {
              view.setInt16(at, R[s]!, true);
            } else slow.store(R, words, p, 2);
            break;
          }
          case 51: {
            // STW
            const at = (R[d]! + words[p + 1]!) | 0;
            if (R[d + 1] === high && shadow[(at - base) >>> 3] === 0 && shadow[(at + 3 - base) >>> 3] === 0) {
              view.setInt32(at, R[s]!, true);
            } else slow.store(R, words, p, 4);
            break;
          }
          case 52: {
            // STDW
            const at = (R[d]! + words[p + 1]!) | 0;
            if (R[d + 1] === high && shadow[(at - base) >>> 3] === 0 && shadow[(at + 7 - base) >>> 3] === 0) {
              view.setInt32(at, R[s]!, true);
              view.setInt32(at + 4, R[s + 1]!, true);
            } else slow.store(R, words, p, 8);
            break;
          }
          case 53: // ATOMIC32
            if (slow.place(R, words, p, 4)) atomic32(R, view, slow.offset, s, words[p + 2]!);
            break;
          case 54: // ATOMIC64
            if (slow.place(R, words, p, 8)) atomic64(R, view, slow.offset, s, words[p + 2]!);
            break;
          case 55: // JA
            p = words[p + 1]!;
            continue;
          case 56: // JEQ
            if (R[d] !== R[s] || R[d + 1] !== R[s + 1]) break;
            p = words[p + 1]!;
            continue;
          case 57: // JNE
            if (R[d] === R[s] && R[d + 1] === R[s + 1]) break;
            p = words[p + 1]!;
            continue;
          case 58: // JGT
            if (R[d + 1] === R[s + 1] ? R[d]! >>> 0 <= R[s]! >>> 0 : R[d + 1]! >>> 0 < R[s + 1]! >>> 0) break;
            p = words[p + 1]!;
            continue;
          case 59: // JGE
            if (R[d + 1] === R[s + 1] ? R[d]! >>> 0 < R[s]! >>> 0 : R[d + 1]! >>> 0 < R[s + 1]! >>> 0) break;
            p = words[p + 1]!;
            continue;
          case 60: // JLT
            if (R[d + 1] === R[s + 1] ? R[d]! >>> 0 >= R[s]! >>> 0 : R[d + 1]! >>> 0 > R[s + 1]! >>> 0) break;
            p = words[p + 1]!;
            continue;
          case 61: // JLE
            if (R[d + 1] === R[s + 1] ? R[d]! >>> 0 > R[s]! >>> 0 : R[d + 1]! >>> 0 > R[s + 1]! >>> 0) break;
            p = words[p + 1]!;
            continue;
          case 62: // JSGT
            if (R[d + 1] === R[s + 1] ? R[d]! >>> 0 <= R[s]! >>> 0 : R[d + 1]! < R[s + 1]!) break;
            p = words[p + 1]!;
            continue;
          case 63: // JSGE
            if (R[d + 1] === R[s + 1] ? R[d]! >>> 0 < R[s]! >>> 0 : R[d + 1]! < R[s + 1]!) break;
            p = words[p + 1]!;
            continue;
          case 64: // JSLT
            if (R[d + 1] === R[s + 1] ? R[d]! >>> 0 >= R[s]! >>> 0 : R[d + 1]! > R[s + 1]!) break;
            p = words[p + 1]!;
            continue;
          case 65: // JSLE
            if (R[d + 1] === R[s + 1] ? R[d]! >>> 0 > R[s]! >>> 0 : R[d + 1]! > R[s + 1]!) break;
            p = words[p + 1]!;
            continue;
          case 66: // JSET
            if (((R[d]! & R[s]!) | (R[d + 1]! & R[s + 1]!)) === 0) break;
            p = words[p + 1]!;
            continue;
          case 67: // JEQ32
            if (R[d] !== R[s]) break;
            p = words[p + 1]!;
            continue;
          case 68: // JNE32
            if (R[d] === R[s]) break;
            p = words[p + 1]!;
            continue;
          case 69: // JGT32
            if (R[d]! >>> 0 <= R[s]! >>> 0) break;
            p = words[p + 1]!;
            continue;
          case 70: // JGE32
            if (R[d]! >>> 0 < R[s]! >>> 0) break;
            p = words[p + 1]!;
            continue;
          case 71: // JLT32
            if (R[d]! >>> 0 >= R[s]! >>> 0) break;
            p = words[p + 1]!;
            continue;
          case 72: // JLE32
            if (R[d]! >>> 0 > R[s]! >>> 0) break;
            p = words[p + 1]!;
            continue;
          case 73: // JSGT32
            if (R[d]! <= R[s]!) break;
            p = words[p + 1]!;
            continue;
          case 74: // JSGE32
            if (R[d]! < R[s]!) break;
            p = words[p + 1]!;
            continue;
          case 75: // JSLT32
            if (R[d]! >= R[s]!) break;
            p = words[p + 1]!;
            continue;
          case 76: // JSLE32
            if (R[d]! > R[s]!) break;
            p = words[p + 1]!;
            continue;
          case 77: // JSET32
            if ((R[d]! & R[s]!) === 0) break;
            p = words[p + 1]!;
            continue;
          case 79: // CALL_LOCAL
            R[20] = frames.push(R, p + WORDS);
            p = words[p + 1]!;
            continue;
          case 80: // CALL_HELPER
          case 81: // CALL_KFUNC
            this.#fuel = fuel;
            fuel = -1;
            memory.site = words[p + 3]!;
            this.#host.call(words[p + 2]!, R);
            fuel = this.#fuel;
            view = memory.view;
            shadow = memory.shadow;
            break;
          case 82: {
            // CALL_REG
            const entry = this.#host.entryOf(R[d]!, R[d + 1]!);
            if (entry === null) throw new Fault('bad-call', `callx to ${R[d]! >>> 0}, which is no function`);
            this.#fuel = fuel;
            fuel = -1;
            memory.site = words[p + 3]!;
            this.#host.call(entry, R);
            fuel = this.#fuel;
            view = memory.view;
            shadow = memory.shadow;
            break;
          }
          case 83: // TAIL_CALL
            memory.site = words[p + 3]!;
            if (this.#tailCall(R)) {
              words = frames.code.words;
              p = 0;
              continue;
            }
            break;
          case 84: // EXIT
            this.#fuel = fuel;
            if (frames.depth === floor) {
              frames.leave();
              return;
            }
            p = frames.pop(R);
            words = frames.code.words;
            continue;
          case 85: // MAY_GOTO
            this.#fuel = fuel;
            if (!frames.mayGoto(this.#host)) break;
            p = words[p + 1]!;
            continue;
          case 86: // LD_ABS
          case 87: // LD_IND
            memory.site = words[p + 3]!;
            if (slow.loadPacket(R, words[p + 1]!, (word & 0x7f) === 86 ? words[p + 2]! : (words[p + 2]! + R[s]!) | 0)) break;
            // a read past the packet ends the function with 0
            R[0] = 0;
            R[1] = 0;
            if (frames.depth === floor) {
              this.#fuel = fuel;
              frames.leave();
              return;
            }
            p = frames.pop(R);
            words = frames.code.words;
            continue;
          case 88: // CAST_USER
            R[d] = R[s]!;
            R[d + 1] = R[d] === 0 ? 0 : this.#host.arenaUserHigh;
            break;
          case 89: // CAST_KERN
            R[d] = R[s]!;
            R[d + 1] = 0;
            break;
          case 90: // PROBE_LOAD
            slow.probe(R, words, p);
            break;
          default:
            throw new Fault(
              words[p + 1] === 1 ? 'bad-call' : 'bad-instruction',
              frames.code.reasons[words[p + 2]!] ?? 'not an instruction',
            );
        }
        p += WORDS;
      }
    } catch (error) {
      if (fuel >= 0) this.#fuel = fuel;
      if (error instanceof Fault && error.insn === null) error.insn = words[p + 3]!;
      throw error;
    }
  }
}
