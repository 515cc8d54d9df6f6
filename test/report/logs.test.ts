import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparableLog, whereLogsPart } from '../../src/report/comparable_log.ts';
import { LogWindow } from '../../src/report/log_window.ts';
import { warmMicros } from '../../src/report/program_report.ts';

describe('comparableLog', () => {
  it('numbers kernel addresses by first appearance', () => {
    const log = '4: (18) r1 = 0xffff888100001000\n6: (18) r2 = 0xffffc90000002000\n8: (18) r3 = 0xffff888100001000\n';
    expect(comparableLog(log)).toBe('4: (18) r1 = 0xKADDR1\n6: (18) r2 = 0xKADDR2\n8: (18) r3 = 0xKADDR1\n');
  });

  it('leaves the verification time out, also behind a message without a newline', () => {
    expect(comparableLog('a\nverification time 12 usec\nstack depth 0\n')).toBe('a\nstack depth 0\n');
    expect(comparableLog('expected prog array map for tail callverification time 1 usec\nstack depth 0\n')).toBe(
      'expected prog array map for tail callstack depth 0\n',
    );
  });

  it('changes nothing that is the same at every boot', () => {
    const log = 'R1=scalar(umax=0xffffffff,var_off=(0x0; 0xffffffff))\nR2=0xffffffffffff\n';
    expect(comparableLog(log)).toBe(log);
  });

  it('does not change what it made', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('0xffff888100001000', '0xffff888100001008', 'x', '\n')), (parts) => {
        const once = comparableLog(parts.join(' '));
        expect(comparableLog(once)).toBe(once);
      }),
    );
  });
});

describe('whereLogsPart', () => {
  it('is nowhere in equal logs', () => expect(whereLogsPart('a\nb\n', 'a\nb\n')).toBeNull());

  it('is at the first line that differs, with what stands before it', () => {
    expect(whereLogsPart('a\nb\nc\nd\nx\n', 'a\nb\nc\nd\ny\n')).toEqual({
      line: 5,
      before: ['b', 'c', 'd'],
      ours: 'x',
      theirs: 'y',
    });
    expect(whereLogsPart('a', 'a\nb')).toEqual({ line: 2, before: ['a'], ours: null, theirs: 'b' });
  });
});

describe('LogWindow', () => {
  it('keeps the first bytes and counts all', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), fc.nat(50), (pieces, limit) => {
        const window = new LogWindow(limit);
        for (const piece of pieces) window.sink(piece);
        const { text, trueSize, truncated } = window.collected();
        const whole = Buffer.from(pieces.join(''));
        expect(trueSize).toBe(whole.length);
        expect(truncated).toBe(whole.length > limit);
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limit);
        expect(whole.subarray(0, Buffer.byteLength(text)).toString()).toBe(text);
        // at most the rest of one character is left out at the limit
        if (truncated) expect(Buffer.byteLength(text)).toBeGreaterThan(limit - 4);
      }),
    );
  });
});

describe('warmMicros', () => {
  it.each([
    [[], 0],
    [[7], 7],
    [[100, 7], 7],
    [[900, 500, 10, 30, 20], 20],
  ])('of %j is %d', (runs, median) => expect(warmMicros(runs)).toBe(median));
});
