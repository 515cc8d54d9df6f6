import { describe, expect, test } from 'vitest';
import type { Btf } from '../../src/btf/btf.ts';
import { btfFromC, CScope, CSyntaxError, parseDeclarations, parseTypeName, prototypeFromC } from '../../src/btf/c_parser.ts';

/** A type as nested words, pointers to structs by name only. */
const spell = (btf: Btf, id: number): string => {
  const type = btf.type(id);
  switch (type.kind) {
    case 'VOID':
      return 'void';
    case 'PTR':
      return `ptr(${spell(btf, type.type)})`;
    case 'CONST':
    case 'VOLATILE':
    case 'RESTRICT':
      return `${type.kind.toLowerCase()}(${spell(btf, type.type)})`;
    case 'TYPE_TAG':
      return `tag ${type.name}(${spell(btf, type.type)})`;
    case 'ARRAY':
      return `array ${type.nelems}(${spell(btf, type.elem)})`;
    case 'FUNC_PROTO':
      return `func(${type.params.map((param) => (param.type === 0 ? '...' : spell(btf, param.type))).join(', ')}) ${spell(btf, type.ret)}`;
    case 'FWD':
      return `fwd ${type.of} ${type.name}`;
    default:
      return `${type.kind.toLowerCase()} ${type.name}`;
  }
};

const typeOf = (text: string): string => {
  const scope = new CScope();
  const id = parseTypeName(text, scope);
  scope.close();
  return spell(scope.builder.build(), id);
};

describe('type names', () => {
  test.each([
    ['unsigned', 'int unsigned int'],
    ['long int unsigned', 'int unsigned long'],
    ['long long', 'int long long'],
    ['u32', 'typedef u32'],
    ['const void *', 'ptr(const(void))'],
    ['char *const', 'const(ptr(int char))'],
    ['const volatile int', 'const(volatile(int int))'],
    ['struct foo *', 'ptr(fwd struct foo)'],
    ['int *[3][4]', 'array 3(array 4(ptr(int int)))'],
    ['int (*)[4]', 'ptr(array 4(int int))'],
    ['void (*)(int, ...)', 'ptr(func(int int, ...) void)'],
    ['int (*(*)(void))(char)', 'ptr(func() ptr(func(int char) int int))'],
    ['const struct foo __kptr *', 'ptr(tag kptr(const(fwd struct foo)))'],
    ['struct foo __attribute__((btf_type_tag("rcu"))) *', 'ptr(tag rcu(fwd struct foo))'],
    ['int * __user *', 'ptr(tag user(ptr(int int)))'],
    ['void (int x[4], int f(void))', 'func(ptr(int int), ptr(func() int int)) void'],
    ['enum bar', 'enum bar'],
  ])('%s', (text, spelled) => expect(typeOf(text)).toBe(spelled));
});

describe('struct layout', () => {
  const layout = (text: string): string => {
    const { btf } = btfFromC(text);
    const found = btf.findByName('s', 'STRUCT') ?? btf.findByName('s', 'UNION')!;
    const members = found.members.map((m) => `${m.name}@${m.bitOffset}${m.bitfieldSize > 0 ? `:${m.bitfieldSize}` : ''}`);
    return `${found.size} ${members.join(' ')}`;
  };
  test.each([
    ['struct s { char a; int b; short c; };', '12 a@0 b@32 c@64'],
    ['struct s { char a; int b; short c; } __attribute__((packed));', '7 a@0 b@8 c@40'],
    ['struct s { char a; int b __attribute__((packed)); };', '5 a@0 b@8'],
    ['struct s { char a; int b __attribute__((aligned(16))); };', '32 a@0 b@128'],
    ['struct s { char a; } __attribute__((aligned(8)));', '8 a@0'],
    ['struct s { int a:3, b:30; };', '8 a@0:3 b@32:30'],
    ['struct s { int a:3, b:30; } __packed;', '5 a@0:3 b@3:30'],
    ['struct s { int a:3; int :0; int b:2; };', '8 a@0:3 b@32:2'],
    ['struct s { char c; unsigned long long f:40; };', '8 c@0 f@8:40'],
    ['struct s { char c; short f:9; };', '4 c@0 f@16:9'],
    ['struct s { int n; struct { char a; long b; }; union { int u; char v; } w; };', '32 n@0 @64 w@192'],
    ['struct s { int n; int data[]; };', '4 n@0 data@32'],
    ['union s { char a; long b; char c[11]; };', '16 a@0 b@0 c@0'],
    ['struct s { void *p; int (*f)(int); char x[3]; };', '24 p@0 f@64 x@128'],
    ['struct s { };', '0 '],
    ['enum { N = 1 << 2, M = N + 1 }; struct s { char a[N * 2 - 1]; char b[sizeof(int[M])]; };', '27 a@0 b@56'],
  ])('%s', (text, expected) => expect(layout(text)).toBe(expected));
});

test('enumerators choose the size and the sign', () => {
  const { btf } = btfFromC('enum a { A0, A1 = -2, A2 }; enum b { B0 = 0xffffffff }; enum c { C0 = 1ULL << 40, C1 };');
  expect(btf.findByName('a', 'ENUM')).toMatchObject({
    size: 4,
    signed: true,
    values: [{ value: 0 }, { value: -2 }, { value: -1 }],
  });
  expect(btf.findByName('b', 'ENUM')).toMatchObject({ size: 4, signed: false, values: [{ value: 0xffffffff }] });
  expect(btf.findByName('c', 'ENUM64')).toMatchObject({ size: 8, values: [{ value: 1n << 40n }, { value: (1n << 40n) + 1n }] });
});

test('declarations carry storage, section, weakness and tags', () => {
  const { btf, declarations } = btfFromC(`
    struct node { struct bpf_list_node { u64 a[2]; } l; int v; };
    struct map_value { struct bpf_list_head { u64 a[2]; } head __contains(node, l); struct task_struct __kptr *t; };
    extern struct task_struct *bpf_task_acquire(struct task_struct *p) __ksym __weak;
    static int counter;
    int prog(struct __sk_buff *ctx __arg_ctx, void *p __arg_nullable);
    typedef int (*callback_t)(void *map, void *ctx);
  `);
  expect(declarations.map(({ kind, name, storage, weak, section }) => ({ kind, name, storage, weak, section }))).toEqual([
    { kind: 'type', name: '', storage: 'none', weak: false, section: undefined },
    { kind: 'type', name: '', storage: 'none', weak: false, section: undefined },
    { kind: 'func', name: 'bpf_task_acquire', storage: 'extern', weak: true, section: '.ksyms' },
    { kind: 'var', name: 'counter', storage: 'static', weak: false, section: undefined },
    { kind: 'func', name: 'prog', storage: 'none', weak: false, section: undefined },
    { kind: 'typedef', name: 'callback_t', storage: 'none', weak: false, section: undefined },
  ]);
  const value = btf.findByName('map_value', 'STRUCT')!;
  expect(btf.declTags(value.id)).toMatchObject([{ name: 'contains:node:l', componentIdx: 0 }]);
  expect(btf.declTags(declarations[4]!.id)).toMatchObject([
    { name: 'arg:ctx', componentIdx: 0 },
    { name: 'arg:nullable', componentIdx: 1 },
  ]);
  expect(btf.typeOf(declarations[2]!.id, 'FUNC')?.linkage).toBe('extern');
});

test('one prototype', () => {
  const { btf, func, proto } = prototypeFromC('__bpf_kfunc int bpf_foo(const struct task_struct *p__nullable, u32 flags)');
  expect(func.name).toBe('bpf_foo');
  expect(proto.params.map((param) => param.name)).toEqual(['p__nullable', 'flags']);
  expect(spell(btf, proto.params[0]!.type)).toBe('ptr(const(fwd struct task_struct))');
  expect(() => prototypeFromC('int x;')).toThrow('expected one function declaration');
});

test('a forward declaration is filled in later, also across calls', () => {
  const scope = new CScope();
  parseDeclarations('struct a; struct b { struct a *next; };', scope);
  parseDeclarations('struct a { struct b inner; };', scope);
  scope.close();
  const btf = scope.builder.build();
  expect(btf.findByName('a', 'STRUCT')?.size).toBe(8);
  expect(btf.findByName('a', 'FWD')).toBeUndefined();
});

describe('errors say where', () => {
  test.each([
    ['int x', undefined],
    ['struct s { int a }', "1:18 expected ';', found '}'"],
    ['\n  foo bar;', "2:3 unknown type 'foo'"],
    ['struct s { struct t x; };', "1:21 member 'x' has no size"],
    ['int x[-1];', '1:6 array length out of range'],
    ['int a[1 / 0];', '1:9 division by zero'],
    ['int a[', "1:7 expected a constant, found 'end of text'"],
    ['struct s { int a:40; };', '1:17 bitfield is wider than its type'],
    ['struct s {}; union s {};', "1:20 's' is not a union"],
    ['struct s {}; struct s {};', '1:21 struct s is defined twice'],
    ['int x __attribute__((mode(DI)));', "1:22 mode 'DI' is not supported"],
    ['int x __attribute__((vector_size(8)));', "1:22 unknown attribute 'vector_size'"],
    ['int @;', '1:5 unexpected character "@"'],
    ['char a[0x7fffffff][0x7fffffff];', '1:7 array is larger than 4 GiB'],
    [`int ${'('.repeat(300)}`, '1:106 nested too deeply'],
    ['short char x;', "1:1 'short char' is no type"],
  ])('%s', (text, message) => {
    let found: string | undefined;
    try {
      btfFromC(text);
    } catch (error) {
      if (!(error instanceof CSyntaxError)) throw error;
      found = `${error.line}:${error.column} ${error.message}`;
    }
    expect(found).toBe(message);
  });
});
