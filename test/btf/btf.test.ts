import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Btf } from '../../src/btf/btf.ts';
import { BtfBuilder } from '../../src/btf/builder.ts';
import { btfFromC } from '../../src/btf/c_parser.ts';
import { BtfError } from '../../src/btf/error.ts';
import { essentialName, nameHash } from '../../src/btf/names.ts';
import type { FlatSource } from '../../src/btf/source.ts';
import { isRegularInt, kindWord, printedName } from '../../src/btf/types.ts';

const bytesOf = (btf: Btf): Uint8Array => (btf.source as FlatSource).bytes;

/** Every kind once. */
const everyKind = (): BtfBuilder => {
  const b = new BtfBuilder();
  const int = b.int('int', 4);
  const s = b.struct('s', 8, [
    { name: 'a', type: int, bitOffset: 0 },
    { name: 'bits', type: int, bitOffset: 32, bitfieldSize: 5 },
  ]);
  b.struct('u', 4, [{ name: '', type: int, bitOffset: 0 }], 'UNION');
  b.array(b.ptr(b.const(b.volatile(s))), 7);
  b.add({ kind: 'RESTRICT', name: '', type: b.ptr(0) });
  b.add({ kind: 'ENUM', name: 'e', size: 4, signed: true, values: [{ name: 'A', value: -1 }] });
  b.add({ kind: 'ENUM64', name: 'e64', size: 8, signed: false, values: [{ name: 'B', value: 1n << 63n }] });
  b.add({ kind: 'FLOAT', name: 'double', size: 8 });
  b.fwd('later', 'union');
  b.typeTag('user', int);
  const f = b.func('f', b.funcProto(int, [{ name: 'x', type: int }]));
  b.declTag('tag', f, 0);
  b.declTag('other', f);
  b.datasec('.data', 4, [{ type: b.variable('v', int, 'static'), offset: 0, size: 4 }]);
  b.typedef('s___old', s);
  return b;
};

describe('a blob', () => {
  const builder = everyKind();
  const btf = builder.build();

  test('gives back every type that was added', () => {
    expect(btf.type(1)).toEqual({ kind: 'INT', id: 1, name: 'int', size: 4, bits: 32, offset: 0, encoding: 1 });
    expect(btf.findByName('s', 'STRUCT')).toMatchObject({
      kindFlag: true,
      members: [{ bitOffset: 0 }, { bitOffset: 32, bitfieldSize: 5 }],
    });
    expect(btf.findByName('e', 'ENUM')?.values).toEqual([{ name: 'A', value: -1 }]);
    expect(btf.findByName('e64', 'ENUM64')?.values).toEqual([{ name: 'B', value: 1n << 63n }]);
    expect(btf.findByName('later', 'FWD')?.of).toBe('union');
    expect(btf.findByName('v', 'VAR')?.linkage).toBe('static');
    expect(new Set([...btf.types()].map(({ kind }) => kind)).size).toBe(19);
    expect(btf.type(0).kind).toBe('VOID');
  });

  test('gives the same object for the same id', () => expect(btf.type(2)).toBe(btf.type(2)));

  test('has no type beyond its last', () => {
    expect(() => btf.type(btf.count)).toThrow(BtfError);
    expect(btf.typeOrUndefined(btf.count)).toBeUndefined();
    expect(btf.typeOrUndefined(-1)).toBeUndefined();
  });

  test('is encoded to the byte as it was read', () => {
    expect(BtfBuilder.from(Btf.parse(builder.encode())).encode()).toEqual(builder.encode());
  });

  test('can be continued', () => {
    const more = BtfBuilder.from(btf);
    const id = more.ptr(1);
    more.replace(1, { kind: 'INT', name: 'long', size: 8, bits: 64, offset: 0, encoding: 1 });
    const next = more.build();
    expect(id).toBe(btf.count);
    expect(next.type(1).name).toBe('long');
    expect(next.type(2)).toEqual(btf.type(2));
  });

  test('lists the tags of a declaration', () => {
    const f = btf.findByName('f', 'FUNC')!;
    expect(btf.declTags(f.id).map(({ name, componentIdx }) => [name, componentIdx])).toEqual([
      ['tag', 0],
      ['other', -1],
    ]);
    expect(btf.declTags(1)).toEqual([]);
  });

  test('finds names without their flavor', () => {
    expect(btf.findEssential('s').map(({ kind }) => kind)).toEqual(['STRUCT', 'TYPEDEF']);
    expect(btf.findByName('s___old', 'TYPEDEF')).toBeDefined();
    expect(btf.findByName('s', 'TYPEDEF')).toBeUndefined();
    expect(btf.findByName('', 'STRUCT')).toBeUndefined();
  });

  test('a split one continues its base', () => {
    const split = new BtfBuilder();
    split.fwd('own');
    const bytes = split.encode();
    const view = new DataView(bytes.buffer);
    view.setUint32(24, btf.strLen + 1, true);
    const module = Btf.parse(bytes, btf);
    expect(module.count).toBe(btf.count + 1);
    expect(module.isSplit).toBe(true);
    expect(module.type(btf.count)).toEqual({ kind: 'FWD', id: btf.count, name: 'own', of: 'struct' });
    expect(module.type(2)).toBe(btf.type(2));
    expect(module.findByName('s', 'STRUCT')).toBe(btf.findByName('s', 'STRUCT'));
    expect(module.stringAt(0)).toBe('');
  });
});

describe('sizes and alignments', () => {
  const { btf, declarations } = btfFromC(`
    struct p { char a; int b; } __attribute__((packed));
    struct q { char a; long b; };
    typedef const struct q q_t;
    static q_t v1; static int v2[3][5]; static void *v3; static struct never *v4; static struct p v5; static char v6[0];
  `);
  test.each([
    ['v1', 16, 8],
    ['v2', 60, 4],
    ['v3', 8, 8],
    ['v4', 8, 8],
    ['v5', 5, 1],
    ['v6', 0, 1],
  ])('%s', (name, size, align) => {
    const variable = btf.typeOf(declarations.find((d) => d.name === name)!.id, 'VAR')!;
    expect(btf.sizeOf(variable.type)).toBe(size);
    expect(btf.alignOf(variable.type)).toBe(align);
  });
  test('void and functions have none', () => {
    expect(btf.sizeOf(0)).toBeUndefined();
    expect(btf.alignOf(0)).toBe(0);
  });
  test('arrays beyond 4 GiB have none', () => {
    const b = new BtfBuilder();
    const big = b.array(b.array(b.int('int', 4), 0x10000), 0x10000);
    expect(b.build().sizeOf(big)).toBeUndefined();
  });
});

describe('following types', () => {
  const { btf, declarations } = btfFromC('typedef int num; typedef const volatile num cnum; typedef cnum *pnum; static pnum x;');
  const { type } = btf.typeOf(declarations.at(-1)!.id, 'VAR')!;
  test('through modifiers', () => expect(btf.skipModifiers(type).kind).toBe('PTR'));
  test('through a pointer', () => expect(btf.resolvePtr(type)).toMatchObject({ kind: 'INT', name: 'int' }));
  test('through qualifiers only', () => {
    const cnum = btf.findByName('cnum', 'TYPEDEF')!;
    expect(btf.skipQualifiers(cnum.type)).toMatchObject({ kind: 'TYPEDEF', name: 'num' });
  });
  test('a loop is an error', () => {
    const b = new BtfBuilder();
    b.typedef('a', 2);
    b.typedef('b', 1);
    expect(() => b.build().skipModifiers(1)).toThrow('Loop detected');
    expect(b.build().sizeOf(1)).toBeUndefined();
  });
});

test('names', () => {
  expect(essentialName('task_struct___v2')).toBe('task_struct');
  expect(essentialName('a___b___c')).toBe('a___b');
  expect(essentialName('____x')).toBe('____x');
  expect(essentialName('a____b')).toBe('a____b');
  expect(nameHash('task_struct___v2')).toBe(nameHash('task_struct'));
  expect(printedName('')).toBe('(anon)');
  expect(kindWord('VOID')).toBe('UNKNOWN');
  expect(isRegularInt({ kind: 'INT', id: 1, name: 'x', size: 4, bits: 24, offset: 0, encoding: 0 })).toBe(false);
});

describe('hostile input', () => {
  const whole = bytesOf(everyKind().build());
  const patched = (change: (view: DataView, bytes: Uint8Array) => void): Uint8Array => {
    const bytes = whole.slice();
    change(new DataView(bytes.buffer), bytes);
    return bytes;
  };
  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'hdr_len not found'],
    ['half a header', whole.slice(0, 10), 'btf_header not found'],
    ['cut', whole.slice(0, -3), 'Total section length too long'],
    ['foreign magic', patched((view) => view.setUint16(0, 0x457f, true)), 'Invalid magic'],
    ['big-endian', patched((view) => view.setUint16(0, 0x9feb, true)), 'big-endian BTF is not supported'],
    ['a 2 GiB section', patched((view) => view.setUint32(12, 0x7fffffff, true)), 'Total section length too long'],
    ['overlapping sections', patched((view) => view.setUint32(16, 0, true)), 'Section overlap found'],
    ['an open string', patched((_, bytes) => bytes.fill(0x41, -1)), 'Invalid string section'],
    ['an unknown kind', patched((view) => view.setUint32(28, 0x1f000000, true)), 'Invalid kind:31'],
    ['too many members', patched((view) => view.setUint32(28, 0x0400ffff, true)), 'meta_needed:786420'],
  ])('%s', (_, bytes, message) => expect(() => Btf.parse(bytes)).toThrow(message));

  test('a name outside of the strings is an error where it is read', () => {
    const btf = Btf.parse(patched((view) => view.setUint32(24, 0x00ffffff, true)));
    expect(() => btf.type(1)).toThrow('Invalid name_offset:16777215');
    expect(btf.type(2).name).toBe('s');
  });

  test('a million strings inside one are an error', () => {
    const builder = new BtfBuilder();
    builder.strings.intern('x'.repeat(100_000));
    for (let i = 0; i < 2000; i++) builder.add({ kind: 'FWD', name: '', of: 'struct' });
    const bytes = builder.encode();
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < 2000; i++) view.setUint32(24 + i * 12, 1 + i, true);
    expect(() => Btf.parse(bytes).findByName('x', 'FWD')).toThrow('strings overlap too much');
  });

  test('alignments of structs that double at each level are found in time', () => {
    const b = new BtfBuilder();
    let inner = b.int('int', 4);
    for (let i = 0; i < 30; i++) {
      inner = b.struct(`s${i}`, 4, [
        { name: 'a', type: inner, bitOffset: 0 },
        { name: 'b', type: inner, bitOffset: 0 },
      ]);
    }
    expect(b.build().alignOf(inner)).toBe(4);
  });

  test('no change of a blob breaks more than the types it touches', () => {
    const change = fc.tuple(fc.nat(), fc.oneof(fc.nat(40), fc.nat(0xffffffff)));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), fc.option(fc.nat()), (changes, cut) => {
        const bytes = whole.slice(0, cut === null ? undefined : cut % whole.length);
        const view = new DataView(bytes.buffer);
        for (const [at, word] of changes) if (bytes.length >= 4) view.setUint32(at % (bytes.length - 3), word >>> 0, true);
        let btf: Btf;
        try {
          btf = Btf.parse(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(BtfError);
          return;
        }
        for (let id = 0; id < btf.count; id++) {
          for (const ask of [
            () => btf.type(id),
            () => btf.sizeOf(id),
            () => btf.alignOf(id),
            () => btf.skipModifiers(id),
            () => btf.declTags(id),
          ]) {
            try {
              ask();
            } catch (error) {
              expect(error).toBeInstanceOf(BtfError);
            }
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});
