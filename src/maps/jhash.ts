/** Bob Jenkins' lookup3, as the kernel uses it for maps. Source: include/linux/jhash.h. */
const JHASH_INITVAL = 0xdeadbeef | 0;

const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));

const final = (a0: number, b0: number, c0: number): number => {
  let a = a0;
  let b = b0;
  let c = c0;
  c = ((c ^ b) - rotate(b, 14)) | 0;
  a = ((a ^ c) - rotate(c, 11)) | 0;
  b = ((b ^ a) - rotate(a, 25)) | 0;
  c = ((c ^ b) - rotate(b, 16)) | 0;
  a = ((a ^ c) - rotate(c, 4)) | 0;
  b = ((b ^ a) - rotate(a, 14)) | 0;
  c = ((c ^ b) - rotate(b, 24)) | 0;
  return c >>> 0;
};

/** Hash of bytes, unsigned. `jhash2` of whole words is the same function. */
export const jhash = (bytes: Uint8Array, seed: number): number => {
  const start = (JHASH_INITVAL + bytes.length + seed) | 0;
  let a = start;
  let b = start;
  let c = start;
  let at = 0;
  let left = bytes.length;
  const word = (from: number): number => {
    let value = 0;
    for (let i = 0; i < 4; i++) value |= (bytes[from + i] ?? 0) << (8 * i);
    return value;
  };
  while (left > 12) {
    a = (a + word(at)) | 0;
    b = (b + word(at + 4)) | 0;
    c = (c + word(at + 8)) | 0;
    a = ((a - c) ^ rotate(c, 4)) | 0;
    c = (c + b) | 0;
    b = ((b - a) ^ rotate(a, 6)) | 0;
    a = (a + c) | 0;
    c = ((c - b) ^ rotate(b, 8)) | 0;
    b = (b + a) | 0;
    a = ((a - c) ^ rotate(c, 16)) | 0;
    c = (c + b) | 0;
    b = ((b - a) ^ rotate(a, 19)) | 0;
    a = (a + c) | 0;
    c = ((c - b) ^ rotate(b, 4)) | 0;
    b = (b + a) | 0;
    at += 12;
    left -= 12;
  }
  if (left === 0) return c >>> 0;
  return final((a + word(at)) | 0, (b + word(at + 4)) | 0, (c + word(at + 8)) | 0);
};
