/** Small compute programs with known results: what the interpreter's speed is measured on, and a test of every engine. */
export interface ComputeSample {
  readonly name: string;
  readonly text: string;
  readonly result: bigint;
}

const BUFFER = '.map buffer array key_size=4 value_size=4096 max_entries=1';

export const COMPUTE_SAMPLES: readonly ComputeSample[] = [
  {
    name: 'fnv hash of a buffer',
    text: `${BUFFER}
      r6 = 0
      r9 = buffer[0] ll
      r0 = 0xcbf29ce484222325 ll
      r5 = 0x100000001b3 ll
      outer: r7 = r9
      r8 = r9
      r8 += 4096
      inner: r1 = *(u8 *)(r7 + 0)
      r0 ^= r1
      r0 *= r5
      r7 += 1
      if r7 < r8 goto inner
      r6 += 1
      if r6 < 40 goto outer
      exit`,
    result: 0x7645daf3d8142325n,
  },
  {
    name: 'primes by trial division',
    text: `
      r0 = 0
      r1 = 2
      next: r2 = 2
      try: r3 = r2
      r3 *= r3
      if r3 > r1 goto prime
      r4 = r1
      r4 %= r2
      if r4 == 0 goto composite
      r2 += 1
      goto try
      prime: r0 += 1
      composite: r1 += 1
      if r1 < 12000 goto next
      exit`,
    result: 1438n,
  },
  {
    name: 'mixed 32-bit arithmetic',
    text: `
      w0 = 1
      w1 = 0
      again: w2 = w0
      w2 <<= 13
      w0 ^= w2
      w2 = w0
      w2 >>= 17
      w0 ^= w2
      w2 = w0
      w2 <<= 5
      w0 ^= w2
      w1 += 1
      if w1 < 120000 goto again
      exit`,
    result: 0xba637edfn,
  },
  {
    name: 'copy of words',
    text: `${BUFFER}
      r6 = 0
      r9 = buffer[0] ll
      outer: r1 = r9
      r2 = r9
      r2 += 2048
      r3 = r2
      inner: r4 = *(u64 *)(r1 + 0)
      r4 += r6
      *(u64 *)(r2 + 0) = r4
      r1 += 8
      r2 += 8
      if r1 < r3 goto inner
      r6 += 1
      *(u64 *)(r9 + 0) = r6
      if r6 < 600 goto outer
      r0 = *(u64 *)(r9 + 2048)
      exit`,
    result: 1198n,
  },
  {
    name: 'bubble sort on the stack',
    text: `
      r6 = 0
      outer: r1 = r10
      r1 += -512
      r2 = 64
      fill: r3 = r2
      r3 *= -1640531535
      r3 &= 0xffff
      *(u64 *)(r1 + 0) = r3
      r1 += 8
      r2 += -1
      if r2 != 0 goto fill
      r7 = 63
      pass: r1 = r10
      r1 += -512
      r2 = r7
      step: r3 = *(u64 *)(r1 + 0)
      r4 = *(u64 *)(r1 + 8)
      if r3 <= r4 goto ordered
      *(u64 *)(r1 + 0) = r4
      *(u64 *)(r1 + 8) = r3
      ordered: r1 += 8
      r2 += -1
      if r2 != 0 goto step
      r7 += -1
      if r7 != 0 goto pass
      r6 += 1
      if r6 < 40 goto outer
      r0 = *(u64 *)(r10 - 512)
      r1 = *(u64 *)(r10 - 8)
      r0 <<= 16
      r0 |= r1
      exit`,
    result: 0x3a8ff2dn,
  },
  {
    name: 'matrix product',
    text: `${BUFFER}
      r9 = buffer[0] ll
      r1 = 0
      fill: r2 = r9
      r2 += r1
      r3 = r1
      r3 *= 7
      *(u32 *)(r2 + 0) = r3
      r1 += 4
      if r1 < 2048 goto fill
      r8 = 0
      again: r1 = 0
      row: r2 = 0
      column: r0 = 0
      r3 = 0
      dot: r4 = r1
      r4 <<= 4
      r4 += r3
      r4 <<= 2
      r4 += r9
      r5 = *(u32 *)(r4 + 0)
      r4 = r3
      r4 <<= 4
      r4 += r2
      r4 <<= 2
      r4 += r9
      r6 = *(u32 *)(r4 + 1024)
      w5 *= w6
      w0 += w5
      r3 += 1
      if r3 < 16 goto dot
      r4 = r1
      r4 <<= 4
      r4 += r2
      r4 <<= 2
      r4 += r9
      *(u32 *)(r4 + 2048) = r0
      r2 += 1
      if r2 < 16 goto column
      r1 += 1
      if r1 < 16 goto row
      r8 += 1
      if r8 < 20 goto again
      r0 = *(u32 *)(r9 + 3068)
      exit`,
    result: 0x489bf080n,
  },
  {
    name: 'calls and spills',
    text: `
      .program p
      r6 = 0
      r7 = 0
      again: r1 = r6
      r2 = r7
      call mix
      r7 ^= r0
      r6 += 1
      if r6 < 40000 goto again
      r0 = r7
      exit
      .func mix
      *(u64 *)(r10 - 8) = r1
      *(u64 *)(r10 - 16) = r2
      r1 *= 31
      r1 += r2
      r3 = *(u64 *)(r10 - 8)
      r4 = *(u64 *)(r10 - 16)
      r1 ^= r3
      r4 >>= 3
      r1 += r4
      r0 = r1
      exit`,
    result: 0xf0df10dcdn,
  },
];
