import { describe, expect, test } from 'vitest';
import type { Btf } from '../../../src/btf/btf.ts';
import { btfFromC } from '../../../src/btf/c_parser.ts';
import { typesAreCompatible, typesMatch } from '../../../src/btf/core/compat.ts';
import { POISON_CORE } from '../../../src/btf/core/patch.ts';
import type { CoreKind } from '../../../src/btf/core/relo.ts';
import { CoreResolver, resolveCoreRelo } from '../../../src/btf/core/resolver.ts';
import { formatSpec, parseSpec } from '../../../src/btf/core/spec.ts';
import { type Insn, insn } from '../../../src/isa/insn.ts';

const btf = (text: string): Btf => btfFromC(text).btf;

const idOf = (source: Btf, name: string): number =>
  (source.findByName(name, 'STRUCT') ??
    source.findByName(name, 'ENUM') ??
    source.findByName(name, 'ENUM64') ??
    source.findByName(name, 'TYPEDEF'))!.id;

/** `r1 = imm` that expects no value. */
const MOV = (imm: number): Insn => insn(0xb7, 1, 0, 0, imm);
const LOAD = (code: number, off: number): Insn => insn(code, 1, 2, off, 0);

/** The value that `r1 = orig` becomes, or the failure. */
const value = (local: string, target: string, name: string, kind: CoreKind, access: string, orig: number): string => {
  const from = btf(local);
  try {
    const patched = resolveCoreRelo([MOV(orig)], { kind, typeId: idOf(from, name), access }, from, btf(target));
    return patched.poison === undefined ? `${patched.insns[0]!.imm}` : 'poison';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('fields', () => {
  const local = 'struct s { int a; struct { int b; struct { int c[4]; } d; }; };';
  test.each<[string, string, CoreKind, string, number, string]>([
    ['moved', 'struct s { long pad; int a; };', 'FIELD_BYTE_OFFSET', '0:0', 0, '8'],
    ['gone', 'struct s { long pad; };', 'FIELD_BYTE_OFFSET', '0:0', 0, 'poison'],
    ['gone but only asked for', 'struct s { long pad; };', 'FIELD_EXISTS', '0:0', 1, '0'],
    ['there', 'struct s { int a; };', 'FIELD_EXISTS', '0:0', 1, '1'],
    ['wider', 'struct s { long a; };', 'FIELD_BYTE_SIZE', '0:0', 4, '8'],
    ['unsigned now', 'struct s { unsigned a; };', 'FIELD_SIGNED', '0:0', 1, '0'],
    ['of another kind', 'struct s { void *a; };', 'FIELD_BYTE_OFFSET', '0:0', 0, 'poison'],
    ['inside an anonymous struct here, outside there', 'struct s { long x; int b; };', 'FIELD_BYTE_OFFSET', '0:1:0', 4, '8'],
    ['inside an anonymous union there', 'struct s { int x; union { long y; int b; }; };', 'FIELD_BYTE_OFFSET', '0:1:0', 4, '8'],
    ['element', 'struct s { long x; struct { long y; int c[8]; } d; };', 'FIELD_BYTE_OFFSET', '0:1:1:0:3', 20, '28'],
    ['element beyond the end', 'struct s { struct { int c[2]; } d; };', 'FIELD_BYTE_OFFSET', '0:1:1:0:3', 20, 'poison'],
    ['element of a flexible array', 'struct s { struct { int c[]; } d; };', 'FIELD_BYTE_OFFSET', '0:1:1:0:3', 20, '12'],
    ['second struct of an array', 'struct s { int a; int more[3]; };', 'FIELD_BYTE_OFFSET', '1:0', 24, '16'],
    ['flavored', 'struct s___v2 { long pad; int a; };', 'FIELD_BYTE_OFFSET', '0:0', 0, '8'],
    ['struct by typedef of a member', 'typedef int num; struct s { long x; num a; };', 'FIELD_BYTE_OFFSET', '0:0', 0, '8'],
  ])('%s', (_, target, kind, access, orig, expected) => expect(value(local, target, 's', kind, access, orig)).toBe(expected));

  test('bitfields are read by the smallest aligned load and shifted', () => {
    const from = 'struct s { int x:1; unsigned f:3; };';
    const to = 'struct s { unsigned long long pad:30; unsigned f:7; };';
    expect(value(from, to, 's', 'FIELD_BYTE_OFFSET', '0:1', 0)).toBe('4');
    expect(value(from, to, 's', 'FIELD_BYTE_SIZE', '0:1', 4)).toBe('4');
    expect(value(from, to, 's', 'FIELD_LSHIFT_U64', '0:1', 60)).toBe('57');
    expect(value(from, to, 's', 'FIELD_RSHIFT_U64', '0:1', 61)).toBe('57');
  });

  test('a wrong value in the instruction is an error', () =>
    expect(value(local, local, 's', 'FIELD_BYTE_OFFSET', '0:0', 5)).toBe('unexpected ALU/ALU64 value: got 5, exp 0 -> 0'));
});

describe('types', () => {
  const local = 'struct s { int a; }; struct t { int a; long b; }; typedef int num;';
  test.each<[string, string, string, CoreKind, number, string]>([
    ['exists', 's', 'struct s { char z; };', 'TYPE_EXISTS', 1, '1'],
    ['does not exist', 's', 'struct x { char z; };', 'TYPE_EXISTS', 1, '0'],
    ['another kind of that name', 's', 'union s { char z; };', 'TYPE_EXISTS', 1, '0'],
    ['size', 's', 'struct s { char z; };', 'TYPE_SIZE', 4, '1'],
    ['typedef', 'num', 'typedef long num;', 'TYPE_SIZE', 4, '8'],
    ['matches with more members', 's', 'struct s { long z; int a; };', 'TYPE_MATCHES', 1, '1'],
    ['does not match another member type', 's', 'struct s { long a; };', 'TYPE_MATCHES', 1, '0'],
    ['does not match without a member', 't', 'struct t { int a; };', 'TYPE_MATCHES', 1, '0'],
  ])('%s', (_, name, target, kind, orig, expected) => expect(value(local, target, name, kind, '0', orig)).toBe(expected));

  test('ids', () => {
    const from = btf(local);
    const to = btf('struct pad { int a; }; struct s { int a; };');
    const resolver = new CoreResolver(from, to);
    const typeId = idOf(from, 's');
    expect(resolver.calculate({ kind: 'TYPE_ID_LOCAL', typeId, access: '0' }).newValue).toBe(BigInt(typeId));
    expect(resolver.calculate({ kind: 'TYPE_ID_TARGET', typeId, access: '0' }).newValue).toBe(BigInt(idOf(to, 's')));
  });
});

describe('enumerators', () => {
  const local = 'enum e { A = 1, B = 2 };';
  test.each<[string, string, CoreKind, number, string]>([
    ['value', 'enum e { B = 77 };', 'ENUMVAL_VALUE', 2, '77'],
    ['value of a 64-bit enum', 'enum e { B = 1, C = 0x100000000 };', 'ENUMVAL_VALUE', 2, '1'],
    ['negative value', 'enum e { B = -5 };', 'ENUMVAL_VALUE', 2, '-5'],
    ['no such', 'enum e { A };', 'ENUMVAL_VALUE', 2, 'poison'],
    ['exists', 'enum e { B };', 'ENUMVAL_EXISTS', 1, '1'],
    ['does not exist', 'enum e { A };', 'ENUMVAL_EXISTS', 1, '0'],
    ['flavored', 'enum e___x { B___y = 9 };', 'ENUMVAL_VALUE', 2, '9'],
  ])('%s', (_, target, kind, orig, expected) => expect(value(local, target, 'e', kind, '1', orig)).toBe(expected));
});

describe('several candidates', () => {
  const local = 'struct s { int a; };';
  test('that agree', () => {
    const target = 'struct s { long x; int a; }; struct s___2 { long y; int a; };';
    expect(value(local, target, 's', 'FIELD_BYTE_OFFSET', '0:0', 0)).toBe('8');
  });
  test('that lie at different offsets', () => {
    const target = 'struct s { int a; }; struct s___2 { long y; int a; };';
    expect(value(local, target, 's', 'FIELD_BYTE_OFFSET', '0:0', 0)).toBe('field offset ambiguity: 64 != 0');
  });
  test('that give different values', () => {
    const target = 'struct s { int a; }; struct s___2 { long a; };';
    expect(value(local, target, 's', 'FIELD_BYTE_SIZE', '0:0', 4)).toBe('relocation decision ambiguity: success 8 != success 4');
  });
  test('thin out from one relocation to the next', () => {
    const from = btf('struct s { int a; int b; };');
    const resolver = new CoreResolver(from, btf('struct s { int b; int a; }; struct s___2 { int a; };'));
    const typeId = idOf(from, 's');
    expect(resolver.calculate({ kind: 'FIELD_BYTE_OFFSET', typeId, access: '0:1' }).newValue).toBe(0n);
    expect(resolver.calculate({ kind: 'FIELD_BYTE_OFFSET', typeId, access: '0:0' }).newValue).toBe(4n);
  });
});

describe('instructions', () => {
  const relocate = (local: string, target: string, code: Insn[], kind: CoreKind = 'FIELD_BYTE_OFFSET', access = '0:0') => {
    const from = btf(local);
    const insns = [...code];
    const reason = new CoreResolver(from, btf(target)).relocate(insns, 0, { kind, typeId: idOf(from, 's'), access });
    return { insns, reason };
  };
  const LDX_W = 0x61;
  const LDX_DW = 0x79;
  const STX_H = 0x6b;
  test('a load moves', () =>
    expect(relocate('struct s { int a; };', 'struct s { long x; int a; };', [LOAD(LDX_W, 0)]).insns).toEqual([LOAD(LDX_W, 8)]));
  test('a load of an unsigned integer takes its new size', () =>
    expect(relocate('struct s { unsigned a; };', 'struct s { u64 a; };', [LOAD(LDX_W, 0)]).insns).toEqual([LOAD(LDX_DW, 0)]));
  test('a store too', () =>
    expect(relocate('struct s { u16 a; };', 'struct s { u8 x; u8 a; };', [LOAD(STX_H, 0)]).insns).toEqual([LOAD(0x73, 1)]));
  test('a load of a signed integer of another size is poisoned', () => {
    const { insns, reason } = relocate('struct s { int a; };', 'struct s { long a; };', [LOAD(LDX_W, 0)]);
    expect(insns).toEqual([insn(0x85, 0, 0, 0, POISON_CORE)]);
    expect(reason).toContain('accesses field incorrectly');
  });
  test('both slots of a wide load are poisoned', () => {
    const { insns } = relocate('struct s { int a; };', 'struct x { int a; };', [
      insn(0x18, 1, 0, 0, 0),
      insn(0, 0, 0, 0, 0),
      MOV(1),
    ]);
    expect(insns.map(({ imm }) => imm)).toEqual([POISON_CORE, POISON_CORE, 1]);
  });
  test('a wide load takes 64 bits', () => {
    const from = btf('enum e { A = 0x1ffffffff };');
    const patched = resolveCoreRelo(
      [insn(0x18, 1, 0, 0, -1), insn(0, 0, 0, 0, 1)],
      { kind: 'ENUMVAL_VALUE', typeId: idOf(from, 'e'), access: '0' },
      from,
      btf('enum e { A = 0x2fffffffe };'),
    );
    expect(patched.insns.map(({ imm }) => imm)).toEqual([-2, 2]);
  });
  test.each<[string, Insn[], string]>([
    ['offset beyond 16 bits', [LOAD(LDX_W, 0)], 'LDX/ST/STX value too big: 40000'],
    ['jump', [insn(0x05, 0, 0, 0, 0)], 'trying to relocate unrecognized insn, code:0x5'],
    ['register operand', [insn(0xbf, 1, 2, 0, 0)], 'relocation of an instruction without an immediate'],
    ['half a wide load', [insn(0x18, 1, 0, 0, 0)], 'LDIMM64 has unexpected form'],
  ])('%s', (_, code, message) =>
    expect(() => relocate('struct s { int a; };', 'struct s { char x[40000]; int a; };', code)).toThrow(message),
  );
});

describe('malformed relocations', () => {
  const from = btf('struct s { int a; };');
  test.each<[CoreKind, string, string]>([
    ['FIELD_BYTE_OFFSET', '', 'parsing [1] struct s +  failed: malformed access string'],
    ['FIELD_BYTE_OFFSET', '0:1', 'parsing [1] struct s + 0:1 failed: no such member'],
    ['FIELD_BYTE_OFFSET', '0:0:0', 'captures type [2] of unexpected kind INT'],
    ['FIELD_BYTE_OFFSET', '0:x', 'malformed access string'],
    ['FIELD_BYTE_OFFSET', Array(65).fill('0').join(':'), 'access string too long'],
    ['TYPE_SIZE', '1', 'malformed access string'],
    ['ENUMVAL_VALUE', '0', 'no such enumerator'],
  ])('%s %s', (kind, access, message) =>
    expect(() => new CoreResolver(from, from).calculate({ kind, typeId: 1, access })).toThrow(message),
  );
});

test('a spec reads as libbpf prints it', () => {
  const from = btf('struct s { int x; struct { int b[3]; }; int f:5; };');
  const spec = (access: string): string => formatSpec(parseSpec(from, { kind: 'FIELD_BYTE_OFFSET', typeId: 1, access }));
  expect(spec('0:1:0:2')).toBe('<byte_off> [1] struct s.b[2] (0:1:0:2 @ offset 12)');
  expect(spec('2:0')).toBe('<byte_off> [1] struct s[2].x (2:0 @ offset 40)');
});

describe('comparing types', () => {
  const pair = (local: string, target: string): [Btf, number, Btf, number] => {
    const [a, b] = [btfFromC(local), btfFromC(target)];
    return [a.btf, a.declarations.at(-1)!.id, b.btf, b.declarations.at(-1)!.id];
  };
  test.each([
    ['typedef int (*f)(int, void *);', 'typedef long (*f)(char, int *);', false, false],
    ['typedef int (*f)(int, void *);', 'typedef int (*f)(int, void *);', true, true],
    ['typedef int (*f)(int);', 'typedef int (*f)(int, int);', false, false],
    ['typedef struct x *f;', 'struct x { int a; }; typedef struct x *f;', false, true],
    ['typedef enum e f;', 'enum e { A }; typedef enum e f;', true, true],
    ['typedef int f[3];', 'typedef int f[4];', true, false],
    ['typedef int f;', 'typedef unsigned f;', true, false],
  ])('%s and %s', (local, target, compatible, matching) => {
    const [a, aId, b, bId] = pair(local, target);
    expect(typesAreCompatible(a, aId, b, bId)).toBe(compatible);
    expect(typesMatch(a, aId, b, bId)).toBe(matching);
  });
});
