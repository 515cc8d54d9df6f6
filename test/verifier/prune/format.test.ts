import { expect, test } from 'vitest';
import { regMaskText, stackMaskText } from '../../../src/verifier/prune/format.ts';

test.each([
  [0, ''],
  [0x15, 'r0,r2,r4'],
  [1 << 10, 'r10'],
])('registers of mask %i', (mask, text) => {
  expect(regMaskText(mask)).toBe(text);
});

test.each([
  [0, 0, ''],
  [0x15, 0, '-8,-24,-40'],
  [1 << 31, 1, '-256,-264'],
  [0, 1 << 31, '-512'],
])('slots of mask %i %i', (lo, hi, text) => {
  expect(stackMaskText(lo, hi)).toBe(text);
});
