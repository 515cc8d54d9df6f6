import type { Program } from '../program/program.ts';

/** A loaded program in the form that engines run. */
export interface Code {
  readonly program: Program;
  readonly words: Int32Array;
  readonly reasons: readonly string[];
  /** number of instruction slots */
  readonly slots: number;
  /** low half of the address of its slot 0; slot n is 8n further (high half: TEXT_HIGH) */
  readonly textBase: number;
}

/** What an engine asks of the machine around it. */
export interface EngineHost {
  /** runs entry number `index`; arguments are r1 to r5 of `registers`, the result goes to r0 */
  call(index: number, registers: Int32Array): void;
  /** the code behind a function address, or null */
  codeAt(lo: number, hi: number): Code | null;
  /** index of the entry that a `callx` with this value means, or null */
  entryOf(lo: number, hi: number): number | null;
  /** the program in a slot of a program array, or null when the tail call falls through */
  tailCall(map: { lo: number; hi: number }, index: number): Code | null;
  /** load of a context field: low half, the high one in `wideHi`; throws a `Fault` where none is */
  loadContext(offset: number, size: number): number;
  readonly wideHi: number;
  storeContext(offset: number, size: number, lo: number, hi: number): void;
  /** bytes of the packet for `LD_ABS` and `LD_IND`, or null past its end; `position` is a signed int32 */
  packetBytes(position: number, size: number): Uint8Array | null;
  /** high half of user addresses of the arena */
  readonly arenaUserHigh: number;
  /** boot nanoseconds, for the time limit of `may_goto` */
  nanoseconds(): number;
}

/** Called before each instruction while somebody watches. Registers are live: low and high half of r0 to r10, read only. */
export type StepHook = (code: Code, slot: number, registers: Int32Array, depth: number) => void;

/** Runs code over guest memory. There is one instance for each machine. */
export interface Engine {
  readonly name: string;
  /** r0 to r10 as int32 halves at the start of the array */
  readonly registers: Int32Array;
  /** the code that runs; null between runs */
  readonly code: Code | null;
  /** instructions run so far */
  readonly executed: number;
  /** instructions that may still be run before a `budget` fault */
  setBudget(instructions: number): void;
  setStepHook(hook: StepHook | null): void;
  /**
   * Runs a function from `slot` until it returns, in a fresh stack frame; r1 to r5 are its arguments, r0 its result, and the
   * other registers are as before. Throws `Fault`, with the slot filled in.
   */
  call(code: Code, slot: number): void;
  /** frees all frames after a fault or an exception has left the engine */
  unwind(): void;
}
