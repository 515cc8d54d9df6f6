/** The first `size` bytes, zeros behind them. */
export const padded = (bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> => {
  const out = new Uint8Array(size);
  out.set(bytes.subarray(0, size));
  return out;
};

export const concat = (first: Uint8Array, second: Uint8Array): Uint8Array => {
  const out = new Uint8Array(first.length + second.length);
  out.set(first);
  out.set(second, first.length);
  return out;
};
