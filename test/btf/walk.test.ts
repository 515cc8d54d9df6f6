import { describe, expect, test } from 'vitest';
import { btfFromC } from '../../src/btf/c_parser.ts';
import { checkFuncTypeMatch, distillFuncProto } from '../../src/btf/func_model.ts';
import type { FieldRecord } from '../../src/btf/special.ts';
import { isNocastAlias, nestedTypeIsTrusted, structAccess, structIdsMatch } from '../../src/btf/walk.ts';

const { btf } = btfFromC(`
  struct leaf { int a; int b; };
  typedef struct leaf leaf_t;
  union mixed { struct leaf *p; long l; };
  union single { struct leaf *p; };
  struct inner { struct leaf first; struct leaf *next; };
  struct outer {
    int i;
    struct leaf *ptr;
    struct inner in;
    char text[8];
    struct leaf grid[2][2];
    void *blob;
    int bits:3, more:9;
    union mixed mix;
    union single one;
    struct leaf __rcu *r;
    struct leaf __percpu *pc;
    struct leaf __user *u;
    leaf_t alias;
    struct leaf *ptrs[2];
    int (*fn)(void);
    short s;
  };
  struct flex { int n; struct leaf tail[]; };
  struct flexint { int n; u8 tail[0]; };
  struct plain { int n; };
  struct outer__safe { struct leaf *ptr; };
  struct conn { int x; };
  struct conn___init { int x; };
`);
const id = (name: string): number => btf.findByName(name, 'STRUCT')!.id;
const at = (struct: string, field: string): number =>
  btf.findByName(struct, 'STRUCT')!.members.find((m) => m.name === field)!.bitOffset / 8;

const spell = (struct: string, off: number, size: number): string => {
  const access = structAccess(btf, id(struct), off, size);
  switch (access.kind) {
    case 'error':
      return `${access.errno} ${access.message}`;
    case 'btf_ptr':
      return `ptr ${btf.type(access.typeId).name} ${access.fieldName} ${access.tag ?? '-'}${access.untrusted ? ' untrusted' : ''}`;
    default:
      return access.kind;
  }
};

describe('access to a struct', () => {
  const o = (field: string, plus = 0): number => at('outer', field) + plus;
  test.each([
    ['int', 'outer', o('i'), 4, 'scalar'],
    ['part of an int', 'outer', o('i', 1), 2, 'scalar'],
    [
      'beyond an int',
      'outer',
      o('i', 2),
      4,
      'EACCES access beyond the end of member i (mend:4) in struct outer with off 2 size 4',
    ],
    ['a hole', 'outer', 4, 4, "EINVAL struct outer doesn't have field at offset 4"],
    ['pointer', 'outer', o('ptr'), 8, 'ptr leaf ptr -'],
    ['half a pointer', 'outer', o('ptr'), 4, 'EACCES cannot access ptr member ptr with moff 8 in struct outer with off 8 size 4'],
    [
      'inside a pointer',
      'outer',
      o('ptr', 4),
      8,
      'EACCES cannot access ptr member ptr with moff 8 in struct outer with off 12 size 8',
    ],
    ['first of a nested struct', 'outer', o('in'), 4, 'scalar'],
    ['nested pointer', 'outer', o('in', 8), 8, 'ptr leaf next -'],
    ['array of char as scratch space', 'outer', o('text', 2), 4, 'scalar'],
    ['element of an array of arrays', 'outer', o('grid', 20), 4, 'scalar'],
    ['across an element', 'outer', o('grid', 4), 8, 'EACCES access beyond struct leaf at off 4 size 8'],
    ['pointer to void', 'outer', o('blob'), 8, 'untrusted_mem'],
    ['pointer to function', 'outer', o('fn'), 8, 'untrusted_mem'],
    ['bitfields', 'outer', o('blob', 8), 4, 'scalar'],
    ['part of a bitfield', 'outer', o('blob', 9), 1, "EINVAL struct outer doesn't have field at offset 81"],
    ['union of several', 'outer', o('mix'), 8, 'ptr leaf p - untrusted'],
    ['union of one', 'outer', o('one'), 8, 'ptr leaf p -'],
    ['rcu tag', 'outer', o('r'), 8, 'ptr leaf r rcu'],
    ['percpu tag', 'outer', o('pc'), 8, 'ptr leaf pc percpu'],
    ['user tag', 'outer', o('u'), 8, 'ptr leaf u user'],
    ['typedef of a struct', 'outer', o('alias', 4), 4, 'scalar'],
    ['second of several pointers', 'outer', o('ptrs', 8), 8, 'ptr leaf ptrs -'],
    ['beyond the struct', 'plain', 4, 4, 'EACCES access beyond struct plain at off 4 size 4'],
    ['across the start of the struct', 'plain', -2, 4, "EINVAL struct plain doesn't have field at offset -2"],
    ['before the struct', 'plain', -8, 4, 'EACCES access beyond struct plain at off 4294967288 size 4'],
    ['flexible array of structs', 'flex', 4 + 8 * 100 + 4, 4, 'scalar'],
    ['across elements of a flexible array', 'flex', 4 + 8 * 100 + 4, 8, 'EACCES access beyond struct leaf at off 4 size 8'],
    ['flexible array of bytes', 'flexint', 1000, 8, 'scalar'],
  ])('%s', (_, struct, off, size, expected) => expect(spell(struct, off, size)).toBe(expected));
});

test('a local object keeps its special fields and its pointers to itself', () => {
  const record = { fields: [{ type: 'BPF_KPTR_REF', offset: 8, size: 8 }] } as unknown as FieldRecord;
  expect(structAccess(btf, id('outer'), 4, 8, { record })).toMatchObject({ message: 'direct access to kptr is disallowed' });
  expect(structAccess(btf, id('outer'), 8, 8, { record: undefined })).toEqual({ kind: 'scalar' });
});

describe('one struct where another is asked for', () => {
  const match = (have: string, off: number, need: string, strict = false) =>
    structIdsMatch(btf, id(have), off, btf, id(need), strict);
  test.each([
    ['itself', 'outer', 0, 'outer', true],
    ['a member', 'outer', at('outer', 'in'), 'inner', true],
    ['the first member of a member', 'outer', at('outer', 'in'), 'leaf', true],
    ['an element', 'outer', at('outer', 'grid') + 8, 'leaf', true],
    ['no struct there', 'outer', at('outer', 'i'), 'leaf', false],
    ['a typedef resolves to its struct', 'outer', at('outer', 'alias'), 'leaf', true],
  ])('%s', (_, have, off, need, expected) => expect(match(have, off, need).match).toBe(expected));
  test('strict asks for the same id', () => expect(match('inner', 0, 'leaf', true)).toEqual({ match: false }));
  test('a failed walk leaves its line', () =>
    expect(match('plain', 4, 'leaf')).toEqual({ match: false, message: 'access beyond struct plain at off 4 size 1' }));
});

test('trusted members are listed in a struct of their own', () => {
  expect(nestedTypeIsTrusted(btf, id('outer'), 'ptr', id('leaf'), '__safe')).toBe(true);
  expect(nestedTypeIsTrusted(btf, id('outer'), 'r', id('leaf'), '__safe')).toBe(false);
  expect(nestedTypeIsTrusted(btf, id('outer'), 'ptr', id('leaf'), '__unsafe')).toBe(false);
});

test('no-cast aliases differ by ___init', () => {
  expect(isNocastAlias(btf, id('conn'), btf, id('conn___init'))).toBe(true);
  expect(isNocastAlias(btf, id('conn'), btf, id('conn'))).toBe(false);
  expect(isNocastAlias(btf, id('conn'), btf, id('plain'))).toBe(false);
});

describe('function models', () => {
  const model = (text: string) => {
    const made = btfFromC(`struct big { long a[3]; }; struct small { int a; }; ${text};`);
    const func = made.btf.typeOf(made.declarations.find((d) => d.kind === 'func')!.id, 'FUNC')!;
    return distillFuncProto(made.btf, made.btf.typeOf(func.type, 'FUNC_PROTO'), func.name);
  };
  test('sizes and signs', () =>
    expect(model('int f(u64 a, short b, struct small s, void *p)')).toEqual({
      retSize: 4,
      retSigned: true,
      args: [
        { size: 8, signed: false, struct: false },
        { size: 2, signed: true, struct: false },
        { size: 4, signed: false, struct: true },
        { size: 8, signed: false, struct: false },
      ],
    }));
  test.each([
    ['void f(int a, ...)', 'The function f with variable args is unsupported.'],
    ['struct small f(void)', 'The function f return type STRUCT is unsupported.'],
    ['void f(struct big b)', 'The function f arg0 type STRUCT is unsupported.'],
    ['void f(int, int, int, int, int, int, int, int, int, int, int, int, int)', 'The function f has 13 arguments. Too many.'],
  ])('%s', (text, message) => expect(() => model(text)).toThrow(message));
});

describe('replacing a function', () => {
  const check = (one: string, two: string): void => {
    const [a, b] = [btfFromC(one), btfFromC(two)];
    checkFuncTypeMatch(a.btf, a.declarations.at(-1)!.id, b.btf, b.declarations.at(-1)!.id);
  };
  test.each([
    ['int f(int a)', 'int g(int a)', undefined],
    ['int f(int a)', 'static int g(int a)', 'g() is not a global function'],
    ['int f(int a)', 'int g(int a, int b)', 'f() has 1 args while g() has 2 args'],
    ['void f(int a)', 'int g(int a)', "Return type UNKNOWN of f() doesn't match type INT of g()"],
    ['int f(long a)', 'int g(int a)', 'arg0 in f() has size 8 while g() has 4'],
    ['int f(int *a)', 'int g(int a)', 'arg0 in f() is PTR while g() has INT'],
    ['int f(int *a)', 'int g(int *a)', 'arg0 in f() is not a pointer to context'],
    [
      'struct x { int a; }; int f(struct x *a);',
      'struct y { int a; }; int g(struct y *a);',
      "arg0 f(struct x *) doesn't match g(struct y *)",
    ],
  ])('%s for %s', (one, two, message) => {
    if (message === undefined) check(one, two);
    else expect(() => check(one, two)).toThrow(message);
  });
});
