/** What is used of a `WebAssembly.Memory`; page counts are of 64 KiB. */
export interface LinearMemory {
  /** a new object after each growth */
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

interface WithWebAssembly {
  readonly WebAssembly: {
    readonly Memory: new (limits: { initial: number; maximum: number }) => LinearMemory;
  };
}

/** Memories that were given back, by maximum. Making one costs milliseconds of garbage collection, zeroing a used one far less. */
const idle = new Map<number, LinearMemory[]>();
const IDLE_LIMIT = 4;

/** A zeroed memory of at least `initial` pages, whose address range is reserved up to `maximum`, so that growing never copies. */
export const newLinearMemory = (initial: number, maximum: number): LinearMemory => {
  const kept = idle.get(maximum)?.pop();
  if (kept !== undefined) return kept;
  const { WebAssembly } = globalThis as unknown as WithWebAssembly;
  return new WebAssembly.Memory({ initial, maximum });
};

/** Takes a memory back that nobody uses any more. Its owner has zeroed it. */
export const giveBackLinearMemory = (memory: LinearMemory, maximum: number): void => {
  const kept = idle.get(maximum) ?? [];
  if (kept.length < IDLE_LIMIT) kept.push(memory);
  idle.set(maximum, kept);
};
