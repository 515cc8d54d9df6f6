import { describe, expect, it } from 'vitest';
import { faultOf, resultOf, runText } from './programs.ts';

/** An IPv4 frame to the loopback address, in which every byte behind the link header says where it is. */
const frame = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i < 12 || i === 13 ? 0 : i === 12 ? 0x08 : i));
const words = (size: number, ...values: (readonly [at: number, value: number])[]): Uint8Array => {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  for (const [at, value] of values) view.setUint32(at, value, true);
  return bytes;
};

describe('xdp', () => {
  const length = '.section "xdp"\nr2 = *(u32 *)(r1 + 0)\nr0 = *(u32 *)(r1 + 4)\nr0 -= r2\nexit';

  it('data and data_end are pointers around the frame', () => {
    expect(resultOf(length, { data: frame(60) })).toBe(60n);
    expect(resultOf('.section "xdp"\nr2 = *(u32 *)(r1 + 0)\nr0 = *(u8 *)(r2 + 59)\nexit', { data: frame(60) })).toBe(59n);
    expect(faultOf('.section "xdp"\nr2 = *(u32 *)(r1 + 0)\nr0 = *(u8 *)(r2 + 60)\nexit', { data: frame(60) })).toEqual([
      'out-of-bounds',
      1,
    ]);
    expect(faultOf('.section "xdp"\nr2 = *(u32 *)(r1 + 0)\nr0 = *(u8 *)(r2 - 1)\nexit', { data: frame(60) })).toEqual([
      'out-of-bounds',
      1,
    ]);
  });

  it('the context begins the data behind the metadata', () => {
    const context = words(24, [0, 8], [4, 60]);
    expect(resultOf(length, { data: frame(60), context })).toBe(52n);
    const meta = '.section "xdp"\nr2 = *(u32 *)(r1 + 8)\nr0 = *(u32 *)(r1 + 0)\nr0 -= r2\nexit';
    expect(resultOf(meta, { data: frame(60), context })).toBe(8n);
    expect(resultOf(meta, { data: frame(60) })).toBe(0n);
  });

  it.each([
    ['a frame shorter than a header', { data: frame(13) }],
    ['a frame longer than a page for a program without fragments', { data: frame(4000) }],
    ['metadata of an odd size', { data: frame(60), context: words(24, [0, 6], [4, 60]) }],
    ['an end behind the data', { data: frame(60), context: words(24, [0, 0], [4, 61]) }],
    ['a queue of no interface', { data: frame(60), context: words(24, [4, 60], [16, 1]) }],
  ])('refuses %s with EINVAL', (_name, input) => {
    expect(() => runText(length, input)).toThrow('EINVAL');
  });

  it('with fragments has only the first page in reach', () => {
    const text = length.replace('"xdp"', '"xdp.frags"');
    expect(resultOf(text, { data: frame(9000) })).toBe(BigInt(4096 - 256 - 320));
    expect(runText(text, { data: frame(9000) }).output.data?.length).toBe(9000);
  });

  it('gives back what the program wrote, with the metadata in front', () => {
    const text = `.section "xdp"
      r6 = r1
      r2 = -4
      call bpf_xdp_adjust_meta
      r2 = *(u32 *)(r6 + 8)
      r3 = 0x01020304
      *(u32 *)(r2 + 0) = r3
      r2 = *(u32 *)(r6 + 0)
      *(u8 *)(r2 + 0) = 0xee
      r0 = 2
      exit`;
    const { output, returned, fault } = runText(text, { data: frame(60) });
    expect([fault, returned]).toEqual([null, 'XDP_PASS']);
    expect([...output.data!.subarray(0, 5)]).toEqual([4, 3, 2, 1, 0xee]);
    expect(output.data!.length).toBe(64);
    expect([...new Uint32Array(output.context!.slice().buffer)].slice(0, 3)).toEqual([4, 64, 0]);
  });

  it('pointers into a frame whose head moved are stale', () => {
    const text = `.section "xdp"
      r6 = *(u32 *)(r1 + 0)
      r2 = 20
      call bpf_xdp_adjust_head
      r0 = *(u8 *)(r6 + 0)
      exit`;
    expect(faultOf(text, { data: frame(60) })).toEqual(['out-of-bounds', 3]);
  });
});

describe('skb', () => {
  const field = (load: string, section = 'tc'): string => `.section "${section}"\nr0 = ${load}\nexit`;

  it.each([
    ['len', '*(u32 *)(r1 + 0)', 100n],
    ['the low byte of len', '*(u8 *)(r1 + 0)', 100n],
    ['a high byte of len', '*(u8 *)(r1 + 1)', 0n],
    ['pkt_type', '*(u32 *)(r1 + 4)', 0n],
    ['mark', '*(u32 *)(r1 + 8)', 0x11223344n],
    ['the upper half of mark', '*(u16 *)(r1 + 10)', 0x1122n],
    ['protocol, in network order', '*(u32 *)(r1 + 16)', 0x8n],
    ['priority', '*(u32 *)(r1 + 32)', 7n],
    ['ifindex', '*(u32 *)(r1 + 40)', 1n],
    ['cb[1]', '*(u32 *)(r1 + 52)', 0xabcdn],
    ['a byte of cb', '*(u8 *)(r1 + 53)', 0xabn],
    ['cb as 64 bits', '*(u64 *)(r1 + 52)', 0xabcdn],
    ['family', '*(u32 *)(r1 + 88)', 2n],
    ['remote_ip4', '*(u32 *)(r1 + 92)', 0x21201f1en],
    ['local_ip4', '*(u32 *)(r1 + 96)', 0x1d1c1b1an],
    ['tstamp', '*(u64 *)(r1 + 152)', 0n],
    ['wire_len', '*(u32 *)(r1 + 160)', 100n],
  ])('has %s', (_name, load, expected) => {
    const context = words(192, [8, 0x11223344], [32, 7], [52, 0xabcd]);
    expect(resultOf(field(load), { data: frame(100), context })).toBe(expected);
  });

  it('begins at the link header for tc, at the network header for others', () => {
    const firstByte = (section: string): bigint =>
      resultOf(`.section "${section}"\nr2 = *(u32 *)(r1 + 76)\nr0 = *(u8 *)(r2 + 12)\nexit`, { data: frame(100) });
    expect(firstByte('tc')).toBe(8n);
    expect(firstByte('cgroup_skb/egress')).toBe(26n);
    expect(resultOf(field('*(u32 *)(r1 + 0)', 'cgroup_skb/egress'), { data: frame(100) })).toBe(86n);
  });

  it.each([
    ['mark', 8, 4, 0x5a5a5a5an],
    ['queue_mapping', 12, 4, 3n],
    ['queue_mapping beyond its width, which is ignored', 12, 4, 0x1ffffn],
    ['priority', 32, 4, 9n],
    ['tc_index, cut to 16 bits', 44, 4, 0x12345n],
    ['a byte of cb', 50, 1, 0x77n],
    ['tstamp', 152, 8, 0x123456789abcdefn],
  ] as const)('stores %s', (name, at, size, value) => {
    const unit = { 1: 'u8', 4: 'u32', 8: 'u64' }[size];
    const text = `.section "tc"\nr2 = ${value} ll\n*(${unit} *)(r1 + ${at}) = r2\nr0 = *(${unit} *)(r1 + ${at})\nexit`;
    const expected = name.includes('ignored') ? 0n : name.includes('cut') ? 0x2345n : value;
    expect(resultOf(text, { data: frame(60) })).toBe(expected);
  });

  it('gives back packet and context', () => {
    const text = `.section "tc"
      r2 = *(u32 *)(r1 + 76)
      *(u8 *)(r2 + 3) = 0x99
      *(u32 *)(r1 + 8) = 5
      *(u32 *)(r1 + 48) = 6
      r0 = 0
      exit`;
    const { output } = runText(text, { data: frame(60) });
    expect([output.data!.length, output.data![3]]).toEqual([60, 0x99]);
    const context = new DataView(output.context!.buffer);
    expect([8, 48, 160, 40].map((at) => context.getUint32(at, true))).toEqual([5, 6, 60, 1]);
  });

  it('puts the link header back, zeroed, for programs that do not see it', () => {
    const { output } = runText('.section "cgroup_skb/egress"\nr0 = 1\nexit', { data: frame(60) });
    expect(output.data!.length).toBe(60);
    expect([...output.data!.subarray(0, 16)]).toEqual([...new Array(14).fill(0), 14, 15]);
  });

  it('that is not all linear ends where its linear part ends', () => {
    const text = '.section "tc"\nr2 = *(u32 *)(r1 + 76)\nr0 = *(u32 *)(r1 + 80)\nr0 -= r2\nexit';
    expect(resultOf(text, { data: frame(100), linear: 40 })).toBe(40n);
    const pulled = `.section "tc"
      r6 = r1
      r2 = 80
      call bpf_skb_pull_data
      r2 = *(u32 *)(r6 + 76)
      r0 = *(u8 *)(r2 + 79)
      exit`;
    expect(resultOf(pulled, { data: frame(100), linear: 40 })).toBe(79n);
  });

  it.each([
    ['a frame shorter than a header', { data: frame(13) }],
    ['an IP packet without a whole header', { data: frame(33) }],
    ['a context that sets len', { data: frame(60), context: words(192, [0, 60]) }],
    ['a context that sets data', { data: frame(60), context: words(192, [76, 1]) }],
    ['a wire length below the packet', { data: frame(60), context: words(192, [160, 59]) }],
    ['more segments than there may be', { data: frame(60), context: words(192, [164, 65536]) }],
  ])('refuses %s with EINVAL', (_name, input) => {
    expect(() => runText(field('*(u32 *)(r1 + 0)'), input)).toThrow('EINVAL');
  });
});

describe('flow dissector', () => {
  it('has flow keys, which are the output', () => {
    const text = `.section "flow_dissector"
      r2 = *(u64 *)(r1 + 144)
      *(u16 *)(r2 + 2) = 34
      r0 = 0
      exit`;
    const { output, returned } = runText(text, { data: frame(60) });
    expect([...output.data!.subarray(0, 12)]).toEqual([14, 0, 34, 0, 0, 0, 0, 0, 0, 0, 8, 0]);
    expect(returned).toBe('BPF_OK');
  });
});

describe('other contexts', () => {
  it('are plain bytes, as given and zero behind', () => {
    const text = '.section "kprobe/x"\nr0 = *(u64 *)(r1 + 8)\nr2 = *(u64 *)(r1 + 16)\nr0 += r2\nexit';
    expect(resultOf(text, { context: words(16, [8, 41]) })).toBe(41n);
  });

  it('are given back as the program left them', () => {
    const text = '.section "syscall"\nr2 = 7\n*(u64 *)(r1 + 0) = r2\nr0 = 0\nexit';
    expect([...runText(text, { context: new Uint8Array(8) }).output.context!]).toEqual([7, 0, 0, 0, 0, 0, 0, 0]);
    expect(faultOf(text, { context: new Uint8Array(4) })).toEqual(['out-of-bounds', 1]);
  });
});
