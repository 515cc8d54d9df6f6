import { describe, expect, it } from 'vitest';
import { TestHost } from '../../helpers/host.ts';
import { runKernelText } from '../../kernel/program.ts';

const EINVAL = -22n;
const E2BIG = -7n;
const EFAULT = -14n;
const ERANGE = -34n;
const EMPTY = '0,0';
const count = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, i) => i);

/** Dynptrs in guest memory. */
class Bench extends TestHost {
  memoryDynptr(size: number): bigint {
    const at = this.room(16);
    expect(this.run('bpf_dynptr_from_mem', [this.place(count(size)), size, 0, at])).toBe(0n);
    return at;
  }

  packetDynptr(kind: 'skb' | 'xdp', size: number, linear = size): bigint {
    this.setPacket({ kind, data: count(size), linear });
    const at = this.room(16);
    expect(this.runKfunc(`bpf_dynptr_from_${kind}`, [0, 0, at])).toBe(0n);
    return at;
  }

  words(at: bigint): string {
    return new BigUint64Array(this.at(at, 16).buffer).join();
  }

  read(dynptr: bigint, offset: number, size: number): number[] | bigint {
    const to = this.room(size);
    const result = this.run('bpf_dynptr_read', [to, size, dynptr, offset, 0]);
    return result === 0n ? [...this.at(to, size)] : result;
  }

  override setPacket(...args: Parameters<TestHost['setPacket']>): ReturnType<TestHost['setPacket']> {
    const packet = super.setPacket(...args);
    packet.contextOffset = this.memory.allocate(8, { what: 'context' });
    return packet;
  }
}

describe('a dynptr over a packet', () => {
  it.each(['skb', 'xdp'] as const)('%s: reads and writes fragments, too', (kind) => {
    const bench = new Bench();
    const dynptr = bench.packetDynptr(kind, 100, 60);
    expect(bench.runKfunc('bpf_dynptr_size', [dynptr])).toBe(100n);
    expect(bench.read(dynptr, 58, 4)).toEqual([58, 59, 60, 61]);
    expect(bench.run('bpf_dynptr_write', [dynptr, 59, bench.place(Uint8Array.of(1, 2)), 2, 0])).toBe(0n);
    expect(bench.read(dynptr, 58, 4)).toEqual([58, 1, 2, 61]);
    expect([bench.read(dynptr, 98, 3), bench.run('bpf_dynptr_data', [dynptr, 0, 4])]).toEqual([E2BIG, 0n]);
  });

  it.each(['skb', 'xdp'] as const)('%s: takes no flags', (kind) => {
    const bench = new Bench();
    bench.setPacket({ kind, data: count(20) });
    const at = bench.room(16);
    expect(bench.runKfunc(`bpf_dynptr_from_${kind}`, [0, 1, at])).toBe(EINVAL);
    expect(bench.words(at)).toBe(EMPTY);
  });

  it('is read-only where the program may not write to packets', () => {
    const bench = new Bench();
    bench.mayWritePacket = false;
    const dynptr = bench.packetDynptr('skb', 20);
    expect(bench.runKfunc('bpf_dynptr_is_rdonly', [dynptr])).toBe(1n);
    expect(bench.run('bpf_dynptr_write', [dynptr, 0, bench.place('ab'), 2, 0])).toBe(EINVAL);
    expect(bench.runKfunc('bpf_dynptr_slice_rdwr', [dynptr, 0, bench.room(4), 4])).toBe(0n);
  });

  it.each([
    ['skb', 0, true],
    ['xdp', 0, true],
    ['skb', 58, false],
    ['xdp', 58, false],
  ] as const)('%s: a slice from %i on is in the packet: %s', (kind, offset, isDirect) => {
    const bench = new Bench();
    const dynptr = bench.packetDynptr(kind, 100, 60);
    const buffer = bench.room(8);
    const slice = BigInt.asUintN(64, bench.runKfunc('bpf_dynptr_slice', [dynptr, offset, buffer, 8]));
    expect(slice).toBe(isDirect ? bench.addressOf(bench.packet!.dataOffset + offset) : buffer);
    expect([...bench.at(slice, 8)]).toEqual([...count(100).subarray(offset, offset + 8)]);
    const without = bench.runKfunc('bpf_dynptr_slice', [dynptr, offset, 0, 8]);
    expect(without === 0n).toBe(!isDirect);
  });

  it('goes by the limits of frames', () => {
    const bench = new Bench();
    const dynptr = bench.packetDynptr('xdp', 70_000);
    expect([bench.read(dynptr, 65_536, 1), bench.read(dynptr, 0, 65_536)]).toEqual([EFAULT, EFAULT]);
    const adjusted = bench.runKfunc('bpf_dynptr_adjust', [dynptr, 65_530, 65_540]);
    expect([adjusted, bench.read(dynptr, 5, 1)]).toEqual([0n, [65_535 & 0xff]]);
  });

  it('may be over the metadata', () => {
    const bench = new Bench();
    bench.setPacket({ kind: 'skb', data: count(20), meta: Uint8Array.of(9, 8, 7, 6) });
    const dynptr = bench.room(16);
    expect(bench.runKfunc('bpf_dynptr_from_skb_meta', [0, 0, dynptr])).toBe(0n);
    expect(bench.read(dynptr, 0, 4)).toEqual([9, 8, 7, 6]);
    expect(bench.run('bpf_dynptr_write', [dynptr, 3, bench.place(Uint8Array.of(5)), 1, 0])).toBe(0n);
    expect(bench.read(dynptr, 1, 3)).toEqual([8, 7, 5]);
    expect(bench.run('bpf_dynptr_write', [dynptr, 0, bench.place(Uint8Array.of(5)), 1, 1])).toBe(EINVAL);
  });
});

describe('copying between dynptrs', () => {
  it.each([
    ['memory to memory', 'memory', 'memory'],
    ['memory to a packet', 'packet', 'memory'],
    ['a packet to memory', 'memory', 'packet'],
  ] as const)('%s', (_rule, to, from) => {
    const bench = new Bench();
    const make = (what: 'memory' | 'packet') => (what === 'memory' ? bench.memoryDynptr(80) : bench.packetDynptr('skb', 80, 40));
    const [target, source] = [make(to), make(from)];
    expect(bench.runKfunc('bpf_dynptr_copy', [target, 30, source, 35, 20])).toBe(0n);
    expect(bench.read(target, 30, 20)).toEqual([...count(80).subarray(35, 55)]);
    expect(bench.runKfunc('bpf_dynptr_copy', [target, 70, source, 0, 11])).toBe(E2BIG);
    expect(bench.runKfunc('bpf_dynptr_copy', [target, 0, source, 70, 11])).toBe(E2BIG);
  });

  it('within a packet goes in pieces', () => {
    const bench = new Bench();
    const dynptr = bench.packetDynptr('xdp', 700, 40);
    expect(bench.runKfunc('bpf_dynptr_copy', [dynptr, 20, dynptr, 300, 400])).toBe(0n);
    expect(bench.read(dynptr, 20, 400)).toEqual([...count(700).subarray(300, 700)]);
  });
});

describe('filling a dynptr', () => {
  it.each(['memory', 'fragments'])('in %s', (where) => {
    const bench = new Bench();
    const dynptr = where === 'memory' ? bench.memoryDynptr(600) : bench.packetDynptr('skb', 600, 40);
    expect(bench.runKfunc('bpf_dynptr_memset', [dynptr, 30, 500, 0x1ff])).toBe(0n);
    expect(bench.read(dynptr, 28, 4)).toEqual([28, 29, 255, 255]);
    expect(bench.read(dynptr, 528, 4)).toEqual([255, 255, 530 & 255, 531 & 255]);
    expect(bench.runKfunc('bpf_dynptr_memset', [dynptr, 599, 2, 0])).toBe(E2BIG);
  });

  it('is refused where it may not be written', () => {
    const bench = new Bench();
    bench.mayWritePacket = false;
    expect(bench.runKfunc('bpf_dynptr_memset', [bench.packetDynptr('skb', 40), 0, 4, 0])).toBe(EINVAL);
  });
});

describe('reading into a dynptr', () => {
  const USER = 0x10000n;

  it.each(['memory', 'fragments'])('kernel memory into %s', (where) => {
    const bench = new Bench();
    const source = bench.place(count(300));
    const dynptr = where === 'memory' ? bench.memoryDynptr(400) : bench.packetDynptr('skb', 400, 20);
    expect(bench.runKfunc('bpf_probe_read_kernel_dynptr', [dynptr, 10, 300, source])).toBe(0n);
    expect(bench.read(dynptr, 10, 300)).toEqual([...count(300)]);
    expect(bench.runKfunc('bpf_probe_read_kernel_dynptr', [dynptr, 10, 4, USER])).toBe(ERANGE);
    expect(bench.runKfunc('bpf_probe_read_kernel_dynptr', [dynptr, 399, 2, source])).toBe(E2BIG);
  });

  it('what is copied before a fault stays', () => {
    const bench = new Bench();
    const dynptr = bench.memoryDynptr(40);
    const source = bench.place(new Uint8Array(20).fill(0xcc));
    expect(bench.runKfunc('bpf_probe_read_kernel_dynptr', [dynptr, 0, 40, source])).toBe(EFAULT);
    expect(bench.read(dynptr, 14, 4)).toEqual([0xcc, 0xcc, 16, 17]);
  });

  it.each([
    ['memory', 300, 301n],
    ['fragments', 300, 301n],
    ['memory', 200, 200n],
    ['fragments', 200, 200n],
  ])('a string into %s, cut to %i', (where, size, result) => {
    const bench = new Bench();
    const source = bench.place('y'.repeat(300));
    const dynptr = where === 'memory' ? bench.memoryDynptr(400) : bench.packetDynptr('skb', 400, 20);
    const room = size === 300 ? 310 : size;
    expect(bench.runKfunc('bpf_probe_read_kernel_str_dynptr', [dynptr, 5, room, source])).toBe(result);
    const read = bench.read(dynptr, 5, Number(result)) as number[];
    expect([read[0], read.at(-2), read.at(-1)]).toEqual([121, 121, 0]);
  });

  it.each([
    ['bpf_probe_read_user_dynptr', 0n],
    ['bpf_copy_from_user_dynptr', 0n],
    ['bpf_probe_read_user_str_dynptr', 4n],
    ['bpf_copy_from_user_str_dynptr', 4n],
  ])('%s', (name, result) => {
    const bench = new Bench();
    bench.userBytes.set(USER, Uint8Array.of(97, 98, 99, 0));
    const dynptr = bench.memoryDynptr(20);
    expect(bench.runKfunc(name, [dynptr, 2, 4, USER])).toBe(result);
    expect(bench.read(dynptr, 1, 6)).toEqual([1, 97, 98, 99, 0, 6]);
    expect(bench.runKfunc(name, [dynptr, 2, 4, 0xffff888000000000n])).toBe(EFAULT);
  });
});

describe('bpf_copy_from_user_str', () => {
  const USER = 0x10000n;
  it.each([
    ['a string that fits', 8, 0, 4n, [97, 98, 99, 0, 170, 170, 170, 170]],
    ['and zeros behind it', 8, 1, 4n, [97, 98, 99, 0, 0, 0, 0, 0]],
    ['a string that is cut', 3, 0, 3n, [97, 98, 0]],
    ['no room', 0, 0, 0n, []],
    ['other flags', 8, 2, EINVAL, [170]],
  ])('%s', (_rule, size, flags, result, bytes) => {
    const bench = new Bench();
    bench.userBytes.set(USER, Uint8Array.of(97, 98, 99, 0));
    const to = bench.room(8);
    expect(bench.runKfunc('bpf_copy_from_user_str', [to, size, USER, flags])).toBe(result);
    expect([...bench.at(to, bytes.length)]).toEqual(bytes);
  });

  it('clears the room when it fails, if it is asked to', () => {
    const bench = new Bench();
    const to = bench.room(4);
    expect(bench.runKfunc('bpf_copy_from_user_str', [to, 4, 0x20000, 1])).toBe(EFAULT);
    expect([...bench.at(to, 4)]).toEqual([0, 0, 0, 0]);
  });
});

describe('a program', () => {
  it.each([
    ['tc', 'skb'],
    ['xdp', 'xdp'],
    ['cgroup_skb/egress', 'skb'],
  ])('in section %s reads its packet through a dynptr', (section, kind) => {
    const at = section === 'cgroup_skb/egress' ? 0 : 20;
    const run = runKernelText(
      `
      .section "${section}"
      .program p
      r6 = 0; r2 = 0; r3 = r10; r3 += -16; call bpf_dynptr_from_${kind}
      r1 = r10; r1 += -16; r2 = ${at}; r3 = r10; r3 += -20; w4 = 4; call bpf_dynptr_slice
      if r0 == 0 goto out
      r6 = *(u8 *)(r0 + 3)
      out: r0 = r6; ${section === 'cgroup_skb/egress' ? 'r0 &= 1;' : ''} exit`.replace(/;?\s*\b(out):/g, '\n$1:\n'),
      { data: count(64) },
    );
    expect(run.signed).toBe(section === 'cgroup_skb/egress' ? 1n : 23n);
  });
});
