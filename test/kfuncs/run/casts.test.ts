import { describe, expect, it } from 'vitest';
import { fieldOf, runKernelText } from '../../kernel/program.ts';
import { print } from './print.ts';

const frame = Uint8Array.from({ length: 64 }, (_, i) => i);
const readMember = (struct: string, member: string, size: 'u16' | 'u32' | 'u64'): string =>
  `r7 = *(${size} *)(r6 + ${fieldOf(struct, member)})`;

describe("the kernel's context", () => {
  it('of a packet', () => {
    const text = `
      .section "tc"
      .program p
      call bpf_cast_to_kern_ctx
      r6 = r0
      ${readMember('sk_buff', 'len', 'u32')}
      ${print('r7')}
      ${readMember('sk_buff', 'data', 'u64')}
      r1 = r10; r1 += -8; w2 = 1; r3 = r7; r3 += 20; call bpf_probe_read_kernel
      r7 = *(u8 *)(r10 - 8)
      ${print('r7')}
      r0 = 0; exit`;
    const { printk, machine } = runKernelText(text, { data: frame });
    expect(printk).toEqual(['64', '20']);
    expect([...machine.memory.live()].some(({ what }) => what === 'sk_buff')).toBe(false);
  });

  it('of a frame is the same each time', () => {
    const text = `
      .section "xdp"
      .program p
      r9 = r1
      call bpf_cast_to_kern_ctx
      r6 = r0
      ${readMember('xdp_buff', 'data', 'u64')}
      r8 = r7
      ${readMember('xdp_buff', 'data_end', 'u64')}
      r7 -= r8
      r8 = r7
      r1 = r9
      call bpf_cast_to_kern_ctx
      r1 = r0
      r0 = r8
      if r1 == r6 goto +1
      r0 = 0
      exit`;
    expect(runKernelText(text, { data: frame }).signed).toBe(64n);
  });
});

describe('bpf_rdonly_cast', () => {
  it.each([
    ['reads what is there', 'r1 = r10; r1 += -8; *(u64 *)(r10 - 8) = 5', 5n],
    ['reads zeros where nothing is', 'r1 = 0x1234567812345678 ll', 0n],
  ])('%s', (_rule, address, expected) => {
    const text = `.section "tc"\n.program p\n${address}\nr2 = 0; call bpf_rdonly_cast\nr0 = *(u64 *)(r0 + 0)\nexit`;
    expect(runKernelText(text).signed).toBe(expected);
  });
});

describe('bpf_map_sum_elem_count', () => {
  it.each([
    ['hash', 2n],
    ['array', 0n],
  ])('of a %s', (type, expected) => {
    const put = (key: number): string =>
      `*(u32 *)(r10 - 4) = ${key}; *(u64 *)(r10 - 16) = 1; r1 = m ll; r2 = r10; r2 += -4; r3 = r10; r3 += -16; r4 = 0; call bpf_map_update_elem`;
    const text = `.map m ${type} key="__u32" value="__u64" max_entries=4\n.section "tc"\n.program "int p(void *ctx)"
      ${put(1)}\n${put(2)}\n${put(1)}\nr1 = m ll; call bpf_map_sum_elem_count\nexit`;
    expect(runKernelText(text).signed).toBe(expected);
  });
});
