import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { BtfBuilder } from '../../../src/btf/builder.ts';
import { btfFromC, CScope, parseTypeName } from '../../../src/btf/c_parser.ts';
import { BtfError } from '../../../src/btf/error.ts';
import { CPrinter, printC } from '../../../src/btf/print/printer.ts';

interface Golden {
  readonly cases: readonly { name: string; source: string; text: string }[];
}

const golden = JSON.parse(readFileSync(new URL('golden.json', import.meta.url), 'utf8')) as Golden;

describe('as bpftool prints', () => {
  test.each(golden.cases.map((row) => [row.name, row] as const))('%s', (_, { source, text }) => {
    expect(printC(btfFromC(source).btf).trim()).toBe(text);
  });
});

describe('what is printed reads back as the same types', () => {
  const readable = golden.cases.filter(({ name }) => !['names of one namespace', 'enums'].includes(name));
  test.each(readable.map((row) => [row.name, row] as const))('%s', (_, { source }) => {
    const text = printC(btfFromC(source).btf);
    expect(printC(btfFromC(text).btf)).toBe(text);
  });
});

describe('declarations', () => {
  test.each([
    ['int', 'x', 'int x'],
    ['struct foo *', 'p', 'struct foo *p'],
    ['struct foo *', '', 'struct foo *'],
    ['void (*)(int)', 'f', 'void (*f)(int)'],
    ['char *[4]', 'names', 'char *names[4]'],
    ['int (*)[4]', 'rows', 'int (*rows)[4]'],
    ['const char *const', 's', 'const char * const s'],
  ])('%s %s', (type, name, expected) => {
    const scope = new CScope();
    const id = parseTypeName(type, scope);
    scope.close();
    expect(new CPrinter(scope.builder.build()).declare(id, name)).toBe(expected);
  });
});

test('a type is printed with what it needs, and only once', () => {
  const { btf } = btfFromC('struct a { int x; }; struct b { struct a a; }; struct c { struct b b; };');
  const printer = new CPrinter(btf);
  const text = printer.define(btf.findByName('b', 'STRUCT')!.id);
  expect(text).toBe('struct a {\n\tint x;\n};\n\nstruct b {\n\tstruct a a;\n};\n\n');
  expect(printer.define(btf.findByName('c', 'STRUCT')!.id)).toBe('struct c {\n\tstruct b b;\n};\n\n');
});

describe('hostile graphs', () => {
  const print = (build: (builder: BtfBuilder) => void): string => {
    const builder = new BtfBuilder();
    build(builder);
    try {
      return printC(builder.build());
    } catch (error) {
      expect(error).toBeInstanceOf(BtfError);
      return (error as BtfError).message;
    }
  };
  test('a struct in itself', () =>
    expect(print((b) => b.struct('s', 8, [{ name: 's', type: 1, bitOffset: 0 }]))).toBe('unsatisfiable type cycle'));
  test('an anonymous struct that points to itself', () =>
    expect(
      print((b) => {
        b.struct('', 8, [{ name: 's', type: 2, bitOffset: 0 }]);
        b.ptr(1);
      }),
    ).toBe('unsatisfiable type cycle'));
  test('a pointer to itself', () => expect(print((b) => b.ptr(1))).toBe('types nested too deeply'));
  test('a typedef of itself', () => expect(print((b) => b.typedef('t', 1))).toBe('types nested too deeply'));
  test('anonymous structs that double at each level', () =>
    expect(
      print((b) => {
        let inner = b.int('int', 4);
        for (let i = 0; i < 30; i++) {
          inner = b.struct('', 0, [
            { name: 'a', type: inner, bitOffset: 0 },
            { name: 'b', type: inner, bitOffset: 0 },
          ]);
        }
        b.struct('s', 0, [{ name: 'm', type: inner, bitOffset: 0 }]);
      }),
    ).toBe('types too large to print'));
  test('a gap of half a gigabyte', () =>
    expect(print((b) => b.struct('s', 0x20000000, [{ name: 'a', type: b.int('int', 4), bitOffset: 0 }]))).toBe(
      'types too large to print',
    ));
});
