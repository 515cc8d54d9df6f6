import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeProgram, encodeProgram, MalformedCode } from '../../src/isa/codec.ts';
import { insn } from '../../src/isa/insn.ts';

describe('codec', () => {
  it('reads the fields of a slot', () => {
    const bytes = Uint8Array.of(0x7b, 0xa1, 0xf8, 0xff, 0xfe, 0xff, 0xff, 0xff);
    expect(decodeProgram(bytes)).toEqual([insn(0x7b, 1, 10, -8, -2)]);
  });

  it('reads a view into a larger buffer', () => {
    const bytes = new Uint8Array(24).fill(0xff);
    bytes.set([0x95, 0, 0, 0, 0, 0, 0, 0], 3);
    expect(decodeProgram(bytes.subarray(3, 11))).toEqual([insn(0x95, 0, 0, 0, 0)]);
  });

  it('refuses part of a slot and says where', () => {
    expect(() => decodeProgram(new Uint8Array(13))).toThrow(MalformedCode);
    expect(() => decodeProgram(new Uint8Array(13))).toThrow('program length 13 is not a multiple of 8');
    try {
      decodeProgram(new Uint8Array(13));
    } catch (error) {
      expect((error as MalformedCode).offset).toBe(8);
    }
  });

  it('gives back any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 64 }), (bytes) => {
        const whole = bytes.subarray(0, bytes.length - (bytes.length % 8));
        expect(encodeProgram(decodeProgram(whole))).toEqual(Uint8Array.from(whole));
      }),
    );
  });
});
