import { describe, expect, test } from 'vitest';
import { Malformed } from '../../src/contracts/errors.ts';
import { parsePreset } from '../../src/elf/presets.ts';
import { loadFixture, mapOf } from './fixture.ts';

const presetBytes = (map: string, ...texts: string[]): number[] => [
  ...mapOf(loadFixture('globals', { presets: texts.map(parsePreset) }), map).initial!,
];

describe('presets', () => {
  test.each([
    ['limit = 0x102', 'globals.rodata', 0, [2, 1, 0, 0]],
    ['mode = BUSY', 'globals.rodata', 4, [7, 0, 0, 0]],
    ['origin.x = -1', 'globals.rodata', 8, [255, 255, 255, 255]],
    ['origin.bytes[2] = 9', 'globals.rodata', 14, [9]],
    ['table[1] = 200', '.rodata.table_o', 1, [200]],
    ['grid[1].rest[2] = 017', 'globals.bss', 4 + 16 + 12, [15, 0]],
    ['grid [ BUSY ] . x=1', 'globals.bss', 0, null],
  ])('%s', (text, map, offset, bytes) => {
    if (bytes === null) expect(() => presetBytes(map, text)).toThrow('out of bounds');
    else expect(presetBytes(map, text).slice(offset, offset + bytes.length)).toEqual(bytes);
  });

  test('several at once, and the rest stays', () => {
    const bytes = presetBytes('globals.rodata', 'limit = 3', 'mode = 1');
    expect(bytes.slice(0, 12)).toEqual([3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
  });

  test.each([
    ['nothing = 1', 'there is no global variable nothing'],
    ['table[3] = 1', 'index 3 is out of bounds [0, 3)'],
    ['table[0] = 256', '256 is out of range [0; 255]'],
    ['counter = -2147483649', 'out of range'],
    ['mode = SLEEPING', 'SLEEPING is no value of mode'],
    ['grid = 1', 'only integers and enums can be set'],
    ['origin.z = 1', 'there is no field z'],
    ['counter.x = 1', 'there is no field x in something that is no struct'],
    ['counter[0] = 1', 'an index needs an array'],
  ])('%s is refused', (text, message) => {
    const load = (): unknown => loadFixture('globals', { presets: [parsePreset(text)] });
    expect(load).toThrow(Malformed);
    expect(load).toThrow(message);
  });

  test('setting a variable twice is refused', () => {
    expect(() => loadFixture('globals', { presets: [parsePreset('limit = 1'), parsePreset('limit=2')] })).toThrow(
      'more than once',
    );
  });

  test.each(['limit', 'limit =', '= 3', 'a b = 3', 'limit = 08', 'limit = 1 2', 'x..y = 1', 'x[] = 1'])(
    "'%s' cannot be read",
    (text) => {
      expect(() => parsePreset(text)).toThrow(Malformed);
    },
  );
});
