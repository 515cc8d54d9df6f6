import { describe, expect, it } from 'vitest';
import { Fault } from '../../src/contracts/errors.ts';
import { FRAME_BYTES, GuestMemory, KERNEL_HIGH } from '../../src/kernel/memory.ts';
import { PercpuRegion, SparseRegion } from '../../src/kernel/regions.ts';

const faultOf = (action: () => unknown): Fault => {
  try {
    action();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('no fault');
};

const small = () => new GuestMemory({ limit: 4 << 20 });

describe('objects', () => {
  it.each([1, 7, 8, 9, 16, 4095])('of %i bytes may be touched to their last byte and no further', (size) => {
    const memory = small();
    const at = memory.allocate(size, { what: 'object' });
    for (const width of [1, 2, 4, 8]) {
      for (let start = 0; start + width <= size; start++)
        expect(memory.check(at + start, KERNEL_HIGH, width, true)).toBe(at + start);
      for (let start = Math.max(0, size - width + 1); start < size + 8; start++) {
        expect(faultOf(() => memory.check(at + start, KERNEL_HIGH, width, false)).reason).toBe('out-of-bounds');
      }
      expect(memory.probe(at - width, KERNEL_HIGH, width, false)).toBe(-1);
    }
  });

  it('start zeroed, also when their space was used before', () => {
    const memory = new GuestMemory({ limit: 1 << 20 });
    for (let round = 0; round < 2000; round++) {
      const at = memory.allocate(3000, { what: 'object' });
      expect(at).not.toBe(0);
      expect(memory.u8.subarray(at, at + 3000).every((byte) => byte === 0)).toBe(true);
      memory.u8.fill(0xaa, at, at + 3000);
      memory.free(at);
    }
  });

  it('fault as freed, with the instruction that freed them, while quarantine lasts', () => {
    const memory = small();
    memory.site = 3;
    const at = memory.allocate(24, { what: 'node' });
    memory.site = 9;
    memory.free(at);
    const fault = faultOf(() => memory.check(at + 8, KERNEL_HIGH, 4, false));
    expect(fault.reason).toBe('use-after-free');
    expect(fault.message).toContain('byte 8 of freed node (24 bytes at 0xffff8880');
    expect(fault.message).toContain('allocated by insn 3), freed by insn 9');
    expect(faultOf(() => memory.free(at)).reason).toBe('use-after-free');
  });

  it('name themselves and their BTF field in a report', () => {
    const memory = small();
    memory.describeField = (type, offset) => (type === 'task_struct' && offset === 16 ? 'pid' : '');
    const at = memory.allocate(64, { what: 'task init', btfType: 'task_struct', readOnly: true });
    expect(memory.check(at + 16, KERNEL_HIGH, 4, false)).toBe(at + 16);
    const fault = faultOf(() => memory.check(at + 16, KERNEL_HIGH, 4, true));
    expect(fault.reason).toBe('read-only');
    expect(fault.message).toContain('write of 4 bytes');
    expect(fault.message).toContain('(task_struct.pid) of task init');
    expect(faultOf(() => memory.check(at + 70, KERNEL_HIGH, 1, false)).message).toContain('6 bytes past the end of task init');
  });

  it('may be read-only with a length that is no multiple of 8', () => {
    const memory = small();
    const at = memory.allocate(13, { what: 'constants' });
    memory.setReadOnly(at, 13, true);
    expect(memory.probe(at + 5, KERNEL_HIGH, 8, false)).toBe(at + 5);
    expect(memory.probe(at + 6, KERNEL_HIGH, 8, false)).toBe(-1);
    expect(memory.probe(at, KERNEL_HIGH, 1, true)).toBe(-1);
    memory.setReadOnly(at, 13, false);
    expect(memory.probe(at + 5, KERNEL_HIGH, 8, true)).toBe(at + 5);
  });

  it('run out at the limit, and the space of freed ones is used again', () => {
    const memory = new GuestMemory({ limit: 1 << 20 });
    const held: number[] = [];
    for (let at = memory.allocate(1000, { what: 'x' }); at !== 0; at = memory.allocate(1000, { what: 'x' })) held.push(at);
    expect(held.length).toBeGreaterThan(900);
    for (const at of held.slice(0, 10)) memory.free(at);
    for (let i = 0; i < 10; i++) expect(held.slice(0, 10)).toContain(memory.allocate(900, { what: 'y' }));
    expect(memory.allocate(1000, { what: 'x' })).toBe(0);
  });

  it('are aligned as asked, and the gap before them is no memory', () => {
    const memory = small();
    memory.allocate(24, { what: 'first' });
    const at = memory.allocate(1 << 20, { what: 'ring', align: 4096 });
    expect(at % 4096).toBe(0);
    expect(memory.probe(at - 1, KERNEL_HIGH, 1, false)).toBe(-1);
    expect(memory.probe(at + (1 << 20), KERNEL_HIGH, 1, false)).toBe(-1);
    expect(memory.probe(at + (1 << 20) - 8, KERNEL_HIGH, 8, true)).toBe(at + (1 << 20) - 8);
  });

  it('can be windows with odd ends', () => {
    const memory = small();
    const start = memory.allocate(64, { what: 'packet' });
    for (let from = 0; from < 20; from++) {
      for (let size = 0; size < 24; size++) {
        memory.setWindow(start, start + 64, start + from, size);
        for (let at = 0; at < 64; at++) {
          const inside = at >= from && at < from + size;
          expect(memory.probe(start + at, KERNEL_HIGH, 1, true) >= 0).toBe(inside);
        }
      }
    }
  });
});

describe('addresses', () => {
  const memory = small();
  const at = memory.allocate(16, { what: 'object' });
  it.each([
    ['NULL', 0, 0, 'null'],
    ['a small number', 40, 0, 'null'],
    ['the object under another high half', at, KERNEL_HIGH + 1, 'unmapped'],
    ['the shadow itself', memory.base - 8, KERNEL_HIGH, 'unmapped'],
    ['offset 0 of kernel memory', 0, KERNEL_HIGH, 'unmapped'],
    ['beyond all memory', -8, KERNEL_HIGH, 'unmapped'],
    ['memory that was never handed out', (memory.base + (3 << 20)) | 0, KERNEL_HIGH, 'unmapped'],
  ] as const)('%s is no memory', (_name, lo, hi, reason) => {
    expect(faultOf(() => memory.check(lo, hi, 8, false)).reason).toBe(reason);
    expect(memory.probe(lo, hi, 8, false)).toBe(-1);
  });

  it('of sparse regions exist where a page is mapped', () => {
    const region = new SparseRegion(memory, 0x7f00, 'arena');
    memory.addRegion(region);
    expect(memory.probe(0x5000, 0x7f00, 4, true)).toBe(-1);
    expect(region.map(5)).toBe(true);
    const offset = memory.check(0x5ffc, 0x7f00, 4, true);
    memory.storeI32(offset, 0x01020304);
    const across = new Uint8Array(8);
    expect(region.read(0x5ffc, across)).toBe(false);
    expect([...across]).toEqual([4, 3, 2, 1, 0, 0, 0, 0]);
    region.unmap(5);
    expect(memory.probe(0x5ffc, 0x7f00, 4, true)).toBe(-1);
  });

  it('of per-CPU memory mean one copy for each CPU', () => {
    const region = new PercpuRegion(memory, 4);
    memory.addRegion(region);
    const pointer = region.allocate(24, 'counter');
    const copies = new Set([0, 1, 2, 3].map((cpu) => region.pointer(pointer + 8, cpu)));
    expect(copies.size).toBe(4);
    expect(region.pointer(pointer, 4)).toBe(0);
    expect(memory.probe(pointer, region.high, 8, false)).toBe(-1);
    for (const offset of copies) expect(memory.check(offset, KERNEL_HIGH, 16, true)).toBe(offset);
  });
});

describe('stack frames', () => {
  it('tell which bytes were read before they were written, and keep what they gave', () => {
    const memory = small();
    const reads: [number, number][] = [];
    memory.onUnwrittenRead = (offset, size) => reads.push([offset, size]);
    const bottom = memory.openFrame(0);
    const top = bottom + FRAME_BYTES;
    expect(memory.check(top - 8, KERNEL_HIGH, 4, true)).toBe(top - 8);
    memory.check(top - 8, KERNEL_HIGH, 4, false);
    expect(reads).toEqual([]);
    memory.check(top - 8, KERNEL_HIGH, 8, false);
    expect(reads).toEqual([[top - 8, 8]]);
    const seen = memory.loadU64(top - 8);
    memory.check(top - 8, KERNEL_HIGH, 8, false);
    expect(memory.loadU64(top - 8)).toBe(seen);
    expect(reads.length).toBe(1);
  });

  it('end at their top and bottom, and die when they are closed', () => {
    const memory = small();
    const bottom = memory.openFrame(2);
    expect(memory.probe(bottom, KERNEL_HIGH, FRAME_BYTES, true)).toBe(bottom);
    expect(memory.probe(bottom - 1, KERNEL_HIGH, 1, true)).toBe(-1);
    expect(faultOf(() => memory.check(bottom + FRAME_BYTES, KERNEL_HIGH, 1, true)).message).toContain(
      'past the top of a stack frame',
    );
    memory.closeFrame(2);
    expect(faultOf(() => memory.check(bottom + 8, KERNEL_HIGH, 8, false)).reason).toBe('use-after-free');
  });

  it.each([-1, 513, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 52])('have no %i bytes', (size) => {
    const memory = small();
    const bottom = memory.openFrame(0);
    expect(memory.probe(bottom, KERNEL_HIGH, size, true)).toBe(-1);
    expect(faultOf(() => memory.check(bottom, KERNEL_HIGH, size, false)).reason).toBe('out-of-bounds');
  });

  it('are seeded: the same seed gives the same bytes, another seed others', () => {
    const bytes = (seed: number): string => {
      const memory = new GuestMemory({ limit: 1 << 20, seed });
      const at = memory.check(memory.openFrame(0), KERNEL_HIGH, 64, false);
      return memory.u8.subarray(at, at + 64).join();
    };
    expect(bytes(1)).toBe(bytes(1));
    expect(bytes(1)).not.toBe(bytes(2));
  });
});
