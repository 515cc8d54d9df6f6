import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SkbFields } from '../../src/contracts/host_packet.ts';
import { GuestMemory, KERNEL_HIGH } from '../../src/kernel/memory.ts';
import { Packet } from '../../src/kernel/packet.ts';

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i + 1);
const newPacket = (shape: Partial<ConstructorParameters<typeof Packet>[1]> = {}) => {
  const memory = new GuestMemory({ limit: 2 << 20 });
  const packet = new Packet(memory, { kind: 'skb', data: bytes(40), headroom: 32, tailroom: 24, maxLength: 1500, ...shape });
  return { memory, packet };
};
const reachable = (memory: GuestMemory, packet: Packet, position: number): boolean =>
  memory.probe(packet.dataOffset + position, KERNEL_HIGH, 1, true) >= 0;

describe('a packet', () => {
  it('is reachable in its linear bytes and its metadata only', () => {
    const { memory, packet } = newPacket({ kind: 'xdp', meta: bytes(8) });
    for (let at = -40; at < 64; at++) expect(reachable(memory, packet, at)).toBe(at >= -8 && at < 40);
  });

  it('reads and writes across its fragments, and nothing beyond its end', () => {
    const { packet } = newPacket({ linear: 16 });
    expect([packet.length, packet.linearLength, packet.hasFragments]).toEqual([40, 16, true]);
    expect(packet.read(10, 12)).toEqual(bytes(40).slice(10, 22));
    expect(packet.read(30, 11)).toBeNull();
    expect(packet.read(-1, 1)).toBeNull();
    expect(packet.write(14, Uint8Array.of(90, 91, 92, 93))).toBe(true);
    expect(packet.write(38, Uint8Array.of(1, 2, 3))).toBe(false);
    expect(packet.read(13, 6)).toEqual(Uint8Array.of(14, 90, 91, 92, 93, 19));
    expect(packet.linear(12, 4)).toBe(packet.dataOffset + 12);
    expect(packet.linear(12, 5)).toBe(0);
  });

  it('becomes linear as far as it is pulled', () => {
    const { memory, packet } = newPacket({ linear: 16, tailroom: 4 });
    expect(packet.pull(41)).toBe(false);
    expect(packet.pull(30)).toBe(true);
    expect([packet.linearLength, packet.length]).toEqual([30, 40]);
    expect(packet.bytes()).toEqual(bytes(40));
    expect(reachable(memory, packet, 29)).toBe(true);
    expect(reachable(memory, packet, 30)).toBe(false);
  });

  it('takes its metadata along when its head moves', () => {
    const { packet } = newPacket({ kind: 'xdp', meta: bytes(4) });
    expect(packet.moveHead(10)).toBe(true);
    expect([packet.length, packet.meta()]).toEqual([30, bytes(4)]);
    expect(packet.moveHead(-12)).toBe(true);
    expect([packet.length, packet.meta()]).toEqual([42, bytes(4)]);
    expect(packet.read(0, 13)).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11));
    expect(packet.moveHead(-31)).toBe(false);
    expect(packet.moveHead(43)).toBe(false);
  });

  it.each([
    ['4 bytes', -4, true],
    ['a size that is no multiple of 4', -6, false],
    ['more than 252 bytes', -256, false],
    ['less than nothing', 4, false],
  ])('may have metadata of %s', (_name, delta, expected) => {
    expect(newPacket({ kind: 'xdp', headroom: 400 }).packet.moveMeta(delta)).toBe(expected);
  });

  it('moves its end within its tailroom, with zeros', () => {
    const { packet } = newPacket();
    expect(packet.moveTail(-8)).toBe(true);
    expect(packet.moveTail(12)).toBe(true);
    expect(packet.bytes().subarray(30)).toEqual(Uint8Array.of(31, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    expect(packet.moveTail(21)).toBe(false);
    expect(packet.moveTail(-45)).toBe(false);
    expect(packet.length).toBe(44);
  });

  it('shrinks from its last fragment into its linear part', () => {
    const { packet } = newPacket({ linear: 16 });
    expect(packet.moveTail(-20)).toBe(true);
    expect([packet.length, packet.linearLength]).toEqual([20, 16]);
    expect(packet.moveTail(-10)).toBe(true);
    expect([packet.length, packet.linearLength, packet.hasFragments]).toEqual([10, 10, false]);
  });

  it('has a copy of its own after reallocation; pointers to the old one are stale', () => {
    const { memory, packet } = newPacket();
    const old = packet.dataOffset;
    expect(packet.reallocate(100, 50)).toBe(true);
    expect([packet.headroom, packet.tailroom, packet.bytes()]).toEqual([100, 50, bytes(40)]);
    expect(memory.probe(old, KERNEL_HIGH, 1, false)).toBe(-1);
  });

  it('keeps its headers where they are in the bytes when its head moves', () => {
    const { packet } = newPacket();
    packet.skb = { macHeader: 0, networkHeader: 14, transportHeader: 34 } as SkbFields;
    packet.moveHead(14);
    expect(packet.skb).toMatchObject({ macHeader: -14, networkHeader: 0, transportHeader: 20 });
    packet.moveHead(-14);
    packet.resizeAt(14, 4);
    expect(packet.skb).toMatchObject({ macHeader: 0, networkHeader: 14, transportHeader: 38 });
  });

  it('behaves like a list of bytes', () => {
    const step = fc.tuple(
      fc.constantFrom('head', 'tail', 'resize', 'write', 'reallocate'),
      fc.integer({ min: -12, max: 12 }),
      fc.integer({ min: 0, max: 50 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const { memory, packet } = newPacket();
        let model = [...bytes(40)];
        for (const [kind, delta, position] of steps) {
          const zeros = new Array<number>(Math.max(delta, -delta)).fill(0);
          if (kind === 'head' && packet.moveHead(delta)) model = delta > 0 ? model.slice(delta) : [...zeros, ...model];
          else if (kind === 'tail' && packet.moveTail(delta)) {
            model = delta > 0 ? [...model, ...zeros] : model.slice(0, model.length + delta);
          } else if (kind === 'resize' && packet.resizeAt(position, delta)) {
            const rest = delta > 0 ? [...zeros, ...model.slice(position)] : model.slice(position - delta);
            model = [...model.slice(0, position), ...rest];
          } else if (kind === 'write' && packet.write(position, Uint8Array.of(200))) model[position] = 200;
          else if (kind === 'reallocate') packet.reallocate(position, 24);
          expect([...packet.bytes()]).toEqual(model);
          expect(packet.length === 0 || reachable(memory, packet, packet.length - 1)).toBe(true);
          expect(reachable(memory, packet, packet.length)).toBe(false);
          expect(reachable(memory, packet, -1)).toBe(false);
        }
      }),
    );
  });
});
