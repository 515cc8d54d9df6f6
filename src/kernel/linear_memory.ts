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

/** A memory whose address range is reserved up to `maximum`, so that growing never copies. */
export const newLinearMemory = (initial: number, maximum: number): LinearMemory => {
  const { WebAssembly } = globalThis as unknown as WithWebAssembly;
  return new WebAssembly.Memory({ initial, maximum });
};
