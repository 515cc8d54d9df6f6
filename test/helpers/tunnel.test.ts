import { describe, expect, it } from 'vitest';
import { TestHost } from './host.ts';

const [EINVAL, ENOENT, ENOMEM, EPROTO] = [-22n, -2n, -12n, -71n];
const IPV6 = 1n;
const FLAGS = 16n;

/** id 7, remote 1.2.3.4 (or 16 bytes), tos 5, ttl 64, label, local 9.8.7.6 */
function key(label = 0, ext = 0): Uint8Array {
  const bytes = new Uint8Array(44);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 7, true);
  bytes.set([1, 2, 3, 4, 11, 12, 13, 14], 4);
  bytes.set([5, 64], 20);
  view.setUint16(22, ext, true);
  view.setUint32(24, label, true);
  bytes.set([9, 8, 7, 6, 21, 22, 23, 24], 28);
  return bytes;
}

class Bench extends TestHost {
  constructor() {
    super();
    this.setPacket({ kind: 'skb', data: new Uint8Array(60) });
  }

  set(bytes: Uint8Array, flags = 0n): bigint {
    return this.run('bpf_skb_set_tunnel_key', [0, this.place(bytes), bytes.length, flags]);
  }

  get(size = 44, flags = 0n): { result: bigint; bytes: number[] } {
    const to = this.room(44);
    const result = this.run('bpf_skb_get_tunnel_key', [0, to, size, flags]);
    return { result, bytes: [...this.at(to, size)] };
  }
}

describe('tunnel data', () => {
  it('comes back with its ends exchanged', () => {
    const bench = new Bench();
    expect(bench.set(key())).toBe(0n);
    const { result, bytes } = bench.get();
    expect([result, bytes[0], bytes.slice(4, 12), bytes.slice(20, 24), bytes.slice(28, 36)]).toEqual([
      0n,
      7,
      [9, 8, 7, 6, 0, 0, 0, 0],
      [5, 64, 0, 0],
      [1, 2, 3, 4, 0, 0, 0, 0],
    ]);
  });

  it('of IPv6 has whole addresses and a label', () => {
    const bench = new Bench();
    expect(bench.set(key(0xffffffff), IPV6)).toBe(0n);
    const { bytes } = bench.get(44, IPV6);
    expect([bytes.slice(4, 12), bytes.slice(24, 28)]).toEqual([
      [9, 8, 7, 6, 21, 22, 23, 24],
      [255, 255, 15, 0],
    ]);
    expect([bench.get(44).result, bench.get(8, IPV6).result]).toEqual([EPROTO, EINVAL]);
  });

  it.each([
    [0n, [0x20, 0x05]],
    [2n, [0x20, 0x04]],
    [4n, [0x21, 0x05]],
    [8n, [0x20, 0x0d]],
    [16n, [0x20, 0x01]],
  ])('set with flags %d has these flags of a tunnel', (flags, expected) => {
    const bench = new Bench();
    bench.set(key(), flags);
    expect(bench.get(44, FLAGS).bytes.slice(22, 24)).toEqual(expected);
  });

  it.each([
    ['other flags', key(), 32n, EINVAL],
    ['a label of IPv4', key(1), 0n, EINVAL],
    ['an extension', key(0, 1), 0n, EINVAL],
    ['a size that the struct never had', key().slice(0, 20), 0n, EINVAL],
    ['the size that it had first', key().slice(0, 8), 0n, 0n],
    ['a size that it had later', key().slice(0, 28), 0n, 0n],
  ])('%s: %#', (_what, bytes, flags, result) => {
    expect(new Bench().set(bytes, flags)).toBe(result);
  });

  it('is not there at first, and the buffer is cleared', () => {
    const { result, bytes } = new Bench().get(8);
    expect([result, bytes]).toEqual([EINVAL, [0, 0, 0, 0, 0, 0, 0, 0]]);
  });
});

describe('tunnel options', () => {
  const setOptions = (bench: Bench, size: number): bigint =>
    bench.run('bpf_skb_set_tunnel_opt', [0, bench.place(new Uint8Array(Math.max(size, 1)).fill(3)), size]);
  const getOptions = (bench: Bench, size: number): [bigint, number[]] => {
    const to = bench.room(16);
    const result = bench.run('bpf_skb_get_tunnel_opt', [0, to, size]);
    return [result, [...bench.at(to, size)]];
  };

  it('belong to tunnel data', () => {
    const bench = new Bench();
    expect(setOptions(bench, 4)).toBe(EINVAL);
    bench.set(key());
    expect(getOptions(bench, 4)).toEqual([ENOENT, [0, 0, 0, 0]]);
    expect([setOptions(bench, 6), setOptions(bench, 256), setOptions(bench, 4)]).toEqual([EINVAL, ENOMEM, 0n]);
    expect(getOptions(bench, 6)).toEqual([4n, [3, 3, 3, 3, 0, 0]]);
    expect(getOptions(bench, 2)).toEqual([ENOMEM, [0, 0]]);
    bench.set(key());
    expect(getOptions(bench, 4)[0]).toBe(ENOENT);
  });
});
