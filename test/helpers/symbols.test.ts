import { describe, expect, it } from 'vitest';
import { TestHost } from './host.ts';

describe('bpf_kallsyms_lookup_name', () => {
  it.each<[string, string, number, number, bigint, bigint]>([
    ['a function', 'schedule\0', 9, 0, 0n, 0xffff_ffff_8100_0010n],
    ['a name that is not there', 'scheduler\0', 10, 0, -2n, 0n],
    ['flags', 'schedule\0', 9, 1, -22n, 0n],
    ['a name without its zero', 'schedule\0', 8, 0, -22n, 0n],
    ['an empty name', '\0', 1, 0, -22n, 0n],
    ['no name', '\0', 0, 0, -22n, 0n],
  ])('%s', (_what, name, size, flags, expected, address) => {
    const host = new TestHost();
    host.symbols = {
      ...host.symbols,
      find: (asked) => (asked === 'schedule' ? { name: asked, lo: 0x81000010 | 0, hi: -1 } : null),
    };
    const result = host.place(new Uint8Array(8).fill(7));
    expect(host.run('bpf_kallsyms_lookup_name', [host.place(name), size, flags, result])).toBe(expected);
    expect(new DataView(host.at(result, 8).slice().buffer).getBigUint64(0, true)).toBe(address);
  });
});
