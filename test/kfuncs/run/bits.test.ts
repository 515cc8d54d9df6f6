import { describe, expect, it } from 'vitest';
import { runKernelText } from '../../kernel/program.ts';

const [EINVAL, E2BIG, ENOMEM, EFAULT, ERANGE] = [-22n, -7n, -12n, -14n, -34n];

const HEADER = '.license "GPL"\n.section "raw_tp/sys_enter"\n';

/** Adds up `(bit + 1) * 1000 ** turn` over the bits that are set; a failed `new` is the result. */
const program = (data: readonly bigint[], pointer: string, words: number): string => `
  ${HEADER}
  .rodata "unsigned long long words[${Math.max(data.length, 1)}]" = {${data.length === 0 ? 0 : data.map((word) => `0x${word.toString(16)}`).join(', ')}}
  .program p
  r2 = ${pointer}
  r1 = r10; r1 += -16
  w3 = ${words}
  call bpf_iter_bits_new
  r8 = r0
  r6 = 0
  r7 = 1
  next: r1 = r10; r1 += -16; call bpf_iter_bits_next
  if r0 == 0 goto done
  r1 = *(s32 *)(r0 + 0)
  r1 += 1
  r1 *= r7
  r6 += r1
  r7 *= 1000
  goto next
  done: r1 = r10; r1 += -16; call bpf_iter_bits_destroy
  r0 = r6
  if w8 == 0 goto out
  r8 <<= 32; r8 s>>= 32
  r0 = r8
  out: exit`;

const bits = (...data: bigint[]): bigint => runKernelText(program(data, 'words ll', data.length)).signed;
const numbers = (...set: number[]): bigint => set.reduce((sum, bit, turn) => sum + BigInt(bit + 1) * 1000n ** BigInt(turn), 0n);

describe('C.7 bits: those of', () => {
  it.each([
    ['one word', [0b1011n], [0, 1, 3]],
    ['the ends of a word', [(1n << 63n) | 1n], [0, 63]],
    ['no set bits', [0n], []],
    ['several words', [1n << 63n, 0n, 5n], [63, 128, 130]],
  ])('%s', (_what, data, expected) => {
    expect(bits(...data)).toBe(numbers(...expected));
  });
});

describe('C.7 bits: bpf_iter_bits_new answers', () => {
  it.each([
    ['EINVAL without words', 'words ll', 0, EINVAL],
    ['EINVAL for NULL', '0', 1, EINVAL],
    ['E2BIG for 512 words', 'words ll', 512, E2BIG],
    ['EFAULT for what cannot be read, one word', '0xdead0000 ll', 1, EFAULT],
    ['ERANGE for what is no kernel memory, two words', '0xdead0000 ll', 2, ERANGE],
    ['EFAULT for what cannot be read, two words', '0xffff8880dead0000 ll', 2, EFAULT],
  ])('%s', (_what, pointer, words, expected) => {
    expect(runKernelText(program([1n, 2n], pointer, words)).signed).toBe(expected);
  });

  it('ENOMEM when there is no room for a copy', () => {
    const machine = { failAllocation: (attempt: number) => attempt > 0 };
    expect(runKernelText(program([1n, 2n], 'words ll', 2), { machine }).signed).toBe(ENOMEM);
    expect(runKernelText(program([1n, 2n], 'words ll', 1), { machine }).signed).toBe(1n);
  });
});
