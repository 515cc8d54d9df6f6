import { Fault } from '../contracts/errors.ts';
import { FRAME_BYTES, FRAME_LIMIT, type GuestMemory } from '../kernel/memory.ts';
import type { Code } from './engine.ts';

/** Functions of one program that may be active at once. Source: MAX_CALL_FRAMES, include/linux/bpf_verifier.h. */
const MAX_CALL_FRAMES = 8;
/** Turns of a loop between two looks at the clock. Source: BPF_MAX_TIMED_LOOPS, include/linux/bpf_verifier.h. */
const BPF_MAX_TIMED_LOOPS = 0xffff;
/** Time that a loop may take in one frame. Source: bpf_check_timed_may_goto, kernel/bpf/core.c. */
const MAY_GOTO_NANOSECONDS = 250_000_000;
/** return word, r6 to r9, r10 */
const SAVED = 11;

/** The frames of BPF functions: their stacks in guest memory, what their callers want back, and their loop counters. */
export class FrameStack {
  /** number of open frames */
  depth = 0;
  readonly #memory: GuestMemory;
  readonly #saved = new Int32Array(FRAME_LIMIT * SAVED);
  readonly #codes: Code[] = [];
  /** depth at which the program that a frame belongs to began */
  readonly #programFloor = new Int32Array(FRAME_LIMIT);
  readonly #loops = new Int32Array(FRAME_LIMIT);
  readonly #loopStart = new Float64Array(FRAME_LIMIT);

  constructor(memory: GuestMemory) {
    this.#memory = memory;
  }

  /** The code that runs. */
  get code(): Code {
    return this.#codes[this.depth - 1]!;
  }

  /** Opens a frame for a call from outside; the low half of its r10. */
  enter(code: Code): number {
    const isCallback = this.depth > 0 && this.code === code;
    return this.#open(code, isCallback ? this.#programFloor[this.depth - 1]! : this.depth);
  }

  /** Ends the frame that `enter` opened. */
  leave(): void {
    this.#memory.closeFrame(--this.depth);
  }

  /** Opens a frame for a function of the running program and keeps what its caller wants back; the low half of its r10. */
  push(registers: Int32Array, returnWord: number): number {
    const at = this.depth * SAVED;
    const fp = this.#open(this.code, this.#programFloor[this.depth - 1]!);
    this.#saved[at] = returnWord;
    for (let i = 0; i < SAVED - 1; i++) this.#saved[at + 1 + i] = registers[12 + i]!;
    return fp;
  }

  /** Ends the frame that `push` opened; the word at which its caller goes on. */
  pop(registers: Int32Array): number {
    this.leave();
    const at = this.depth * SAVED;
    for (let i = 0; i < SAVED - 1; i++) registers[12 + i] = this.#saved[at + 1 + i]!;
    return this.#saved[at]!;
  }

  /** Puts another program in the place of the running function; the low half of r10. */
  replace(code: Code): number {
    this.leave();
    return this.#open(code, this.depth);
  }

  clear(): void {
    while (this.depth > 0) this.leave();
  }

  /** Whether a `may_goto` jumps, that is, whether the loops of this frame have had their time. */
  mayGoto(clock: { nanoseconds(): number }): boolean {
    const frame = this.depth - 1;
    if (this.#loops[frame] === 0) return true;
    if (--this.#loops[frame]! > 0) return false;
    const time = clock.nanoseconds();
    if (this.#loopStart[frame] === 0) this.#loopStart[frame] = time;
    else if (time - this.#loopStart[frame]! >= MAY_GOTO_NANOSECONDS) return false;
    this.#loops[frame] = BPF_MAX_TIMED_LOOPS;
    return false;
  }

  #open(code: Code, programFloor: number): number {
    if (this.depth - programFloor >= MAX_CALL_FRAMES || this.depth >= FRAME_LIMIT) {
      throw new Fault('stack-overflow', `the call stack of ${Math.min(this.depth, MAX_CALL_FRAMES)} frames is full`);
    }
    const frame = this.depth++;
    this.#codes[frame] = code;
    this.#programFloor[frame] = programFloor;
    this.#loops[frame] = BPF_MAX_TIMED_LOOPS;
    this.#loopStart[frame] = 0;
    return this.#memory.openFrame(frame) + FRAME_BYTES;
  }
}
