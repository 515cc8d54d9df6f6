import { describe, expect, it } from 'vitest';
import { btfFromC } from '../../src/btf/c_parser.ts';
import { parsePrintf } from '../../src/contracts/printf_format.ts';
import { KernelObjects } from '../../src/kernel/objects/kernel_objects.ts';
import { SEQ_BUFFER_BYTES, SEQ_FILES, SeqFile } from '../../src/kernel/seq_file.ts';
import { TestHost } from './host.ts';

const EINVAL = -22n;
const ENOSPC = -28n;

const words = (...values: bigint[]) => new Uint8Array(BigUint64Array.from(values.map((v) => BigInt.asUintN(64, v))).buffer);

/** formats by bpf_snprintf with up to 12 arguments */
function format(text: string, ...values: bigint[]): string | bigint {
  const host = new TestHost();
  const out = host.room(1200);
  const data = values.length > 0 ? host.place(words(...values)) : 0n;
  const result = host.run('bpf_snprintf', [out, 1200, host.place(text), data, values.length * 8]);
  if (result < 0n) return result;
  const printed = String.fromCharCode(...host.at(out, Number(result) - 1));
  expect(host.at(out, Number(result)).at(-1)).toBe(0);
  return printed;
}

describe('numbers', () => {
  it.each([
    ['%d', 'minus', [-5n], '-5'],
    ['%i', 'i is d', [5n], '5'],
    ['%d', '32 bits only', [0x1_0000_0007n], '7'],
    ['%ld', '64 bits', [0x1_0000_0007n], '4294967303'],
    ['%lld', 'smallest', [-(1n << 63n)], '-9223372036854775808'],
    ['%u', 'unsigned', [-1n], '4294967295'],
    ['%lu', 'unsigned 64', [-1n], '18446744073709551615'],
    ['%llx', 'hex', [-1n], 'ffffffffffffffff'],
    ['%X', 'upper case', [0xabcn], 'ABC'],
    ['%5d|', 'width', [42n], '   42|'],
    ['%-5d|', 'left', [42n], '42   |'],
    ['%05d|', 'zeros behind the sign', [-42n], '-0042|'],
    ['%-05d|', 'left beats zeros', [42n], '42   |'],
    ['%+d', 'plus', [42n], '+42'],
    ['% d', 'space', [42n], ' 42'],
    ['%+u', 'plus is for signed', [42n], '42'],
    ['%08lx', 'hex zeros', [0xbeefn], '0000beef'],
    ['100%% of %u', 'percent', [3n], '100% of 3'],
  ])('%s: %s', (text, _rule, values, expected) => {
    expect(format(text, ...values)).toBe(expected);
  });
});

describe('characters, pointers and addresses', () => {
  it.each([
    ['[%c]', [0x41n], '[A]'],
    ['[%3c]', [0x41n], '[  A]'],
    ['[%-3c]', [0x41n], '[A  ]'],
    ['%px', [0xffff888000001234n], 'ffff888000001234'],
    ['%px', [0x12n], '0000000000000012'],
    ['%4px', [0x12n], '  12'],
    ['%p', [0n], '0000000000000000'],
    ['%ps', [0xffffffff81000000n], '0xffffffff81000000'],
    ['%pB', [0x10n], '0x10'],
  ])('%s', (text, values, expected) => {
    expect(format(text, ...(values as bigint[]))).toBe(expected);
  });

  it('hides a plain pointer, the same one in the same way', () => {
    const first = format('%p', 0xffff888000001000n) as string;
    expect(first).toMatch(/^00000000[0-9a-f]{8}$/);
    expect(first).not.toContain('00001000');
    expect(format('%pK', 0xffff888000001000n)).toBe(first);
    expect(format('%p', 0xffff888000001008n)).not.toBe(first);
  });

  it('swallows letters behind a pointer conversion, as the kernel does', () => {
    expect(format('%pxyz!', 1n)).toBe('0000000000000001!');
  });

  it('prints addresses from memory, zeros where it cannot be read', () => {
    const host = new TestHost();
    const out = host.room(256);
    const v4 = host.place(Uint8Array.of(10, 0, 200, 1));
    const v6 = host.place(Uint8Array.from({ length: 16 }, (_, i) => i));
    const data = host.place(words(v4, v4, v6, v6, 0x10n));
    const result = host.run('bpf_snprintf', [out, 256, host.place('%pI4 %pi4 %pI6 %pi6 %pI4'), data, 40]);
    expect(String.fromCharCode(...host.at(out, Number(result) - 1))).toBe(
      '10.0.200.1 010.000.200.001 0001:0203:0405:0607:0809:0a0b:0c0d:0e0f 000102030405060708090a0b0c0d0e0f 0.0.0.0',
    );
  });

  it('prints strings of the kernel and of the user', () => {
    const host = new TestHost();
    const out = host.room(128);
    host.userBytes.set(0x4000n, Uint8Array.of(0x75, 0x73, 0x65, 0x72, 0));
    const data = host.place(words(host.place('kern'), 0x4000n, 0x4000n, 0x9999n));
    const result = host.run('bpf_snprintf', [out, 128, host.place('[%6s|%-6s|%pus|%s]'), data, 32]);
    expect(String.fromCharCode(...host.at(out, Number(result) - 1))).toBe('[  kern|user  |user|]');
  });
});

describe('what a format may be', () => {
  it.each([
    ['%d %d', 1, 'more conversions than arguments'],
    ['%', 1, 'nothing behind the sign'],
    ['%5%', 1, 'percent with a width'],
    ['%#x', 1, 'alternative form'],
    ['%.3d', 1, 'precision'],
    ['%f', 1, 'floating point'],
    ['%hd', 1, 'short'],
    ['%n', 1, 'count'],
    ['%sx', 1, 'letter behind a string'],
    ['%pQ', 1, 'unknown pointer'],
    ['%pI5', 1, 'unknown address'],
    ['%ksx', 1, 'k without p'],
    ['a\x01b', 0, 'control character'],
    ['%\x80', 1, 'not ASCII'],
  ])('%j with %i arguments is refused: %s', (text, count) => {
    expect(parsePrintf(text, count)).toBeNull();
  });

  it.each([
    ['plain\n\ttext', 0],
    ['\xc3\xa9', 0],
    ['%s.', 1],
    ['%pks, %pus', 2],
    ['%p', 1],
    ['%p%d', 2],
    ['%+- 05lld', 1],
  ])('%j with %i arguments is taken', (text, count) => {
    expect(parsePrintf(text, count)).not.toBeNull();
  });
});

describe('bpf_snprintf', () => {
  it.each([
    [4, 4n, 0],
    [104, 1n, 13],
    [8, 0n, 1],
  ])('refuses data of %i bytes', (size) => {
    const host = new TestHost();
    expect(host.run('bpf_snprintf', [host.room(8), 8, host.place('x'), 0, size])).toBe(EINVAL);
  });

  it('cuts the text to the buffer and answers the whole length with its zero', () => {
    const host = new TestHost();
    const out = host.room(4);
    expect(host.run('bpf_snprintf', [out, 4, host.place('abcdef'), 0, 0])).toBe(7n);
    expect([...host.at(out, 4)]).toEqual([0x61, 0x62, 0x63, 0]);
    expect(host.run('bpf_snprintf', [0, 0, host.place('abcdef'), 0, 0])).toBe(7n);
  });

  it('has room for 512 bytes of arguments', () => {
    const long = 'y'.repeat(600);
    const host = new TestHost();
    const out = host.room(1200);
    const data = host.place(words(host.place(long), host.place('z')));
    expect(host.run('bpf_snprintf', [out, 1200, host.place('%s'), data, 16])).toBe(512n);
    expect(host.run('bpf_snprintf', [out, 1200, host.place('%s%s'), data, 16])).toBe(ENOSPC);
    expect(host.run('bpf_snprintf', [out, 1200, host.place('%s%d'), data, 16])).toBe(ENOSPC);
    expect(host.run('bpf_snprintf', [out, 1200, host.place('%s%c'), data, 16])).toBe(ENOSPC);
  });
});

describe('bpf_trace_printk', () => {
  it('prints one line and answers its length', () => {
    const host = new TestHost();
    expect(host.run('bpf_trace_printk', [host.place('a=%d b=%s\n'), 11, 1, host.place('x'), 0])).toBe(8n);
    expect(host.lines).toEqual(['a=1 b=x']);
  });

  it('refuses a format without its zero byte', () => {
    const host = new TestHost();
    expect(host.run('bpf_trace_printk', [host.place('abc'), 3, 0, 0, 0])).toBe(EINVAL);
    expect(host.lines).toEqual([]);
  });

  it('prints UTF-8', () => {
    const host = new TestHost();
    expect(host.run('bpf_trace_printk', [host.place('\xc3\xa9!'), 4, 0, 0, 0])).toBe(3n);
    expect(host.lines).toEqual(['é!']);
  });

  it('takes up to twelve arguments from memory as bpf_trace_vprintk', () => {
    const host = new TestHost();
    const data = host.place(words(1n, 2n, 3n, 4n));
    expect(host.run('bpf_trace_vprintk', [host.place('%d%d%d%d'), 9, data, 32])).toBe(4n);
    expect(host.run('bpf_trace_vprintk', [host.place('%d'), 3, data, 30])).toBe(EINVAL);
    expect(host.lines).toEqual(['1234']);
  });
});

describe('seq files', () => {
  it('take text and bytes until they are full', () => {
    const host = new TestHost();
    const objects = new KernelObjects(host.memory, btfFromC('struct seq_file { char *buf; unsigned long size, count; };').btf);
    const seq = new SeqFile(objects, 0);
    seq.allocateBuffer();
    host.part(SEQ_FILES).set(seq.offset, seq);
    const file = host.addressOf(seq.offset);
    expect(host.run('bpf_seq_printf', [file, host.place('n=%d\n'), 6, host.place(words(5n)), 8])).toBe(0n);
    expect(host.run('bpf_seq_write', [file, host.place('raw'), 3])).toBe(0n);
    expect(String.fromCharCode(...seq.take(0, seq.count))).toBe('n=5\nraw');
    const rest = SEQ_BUFFER_BYTES - seq.count;
    expect(host.run('bpf_seq_write', [file, host.room(rest), rest])).toBe(-75n);
    expect([seq.hasOverflowed, seq.count]).toEqual([true, SEQ_BUFFER_BYTES]);
    expect(host.run('bpf_seq_printf', [file, host.place(''), 1, 0, 0])).toBe(-75n);
    seq.count = 7;
    expect(host.run('bpf_seq_write', [file, host.room(rest - 1), rest - 1])).toBe(0n);
    expect(seq.count).toBe(SEQ_BUFFER_BYTES - 1);
  });
});
