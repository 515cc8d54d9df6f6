import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assemble } from '../../src/asm/assemble.ts';
import type { DialectName } from '../../src/asm/dialect.ts';
import { disassemble, disassembleProgram } from '../../src/asm/disassemble.ts';
import { PROG_TYPES } from '../../src/contracts/uapi_numbers.ts';
import { decodeProgram } from '../../src/isa/codec.ts';
import { type Insn, insn } from '../../src/isa/insn.ts';
import { OPCODES } from '../../src/isa/opcodes.ts';
import { EMPTY_PROGRAM, type MapDef, type ObjectImage, type Program } from '../../src/program/program.ts';
import { SMALL_KERNEL } from './profile.ts';

const PLAIN_MAP: MapDef = {
  name: 'counts',
  type: 2,
  keySize: 4,
  valueSize: 8,
  maxEntries: 1,
  flags: 0,
  mapExtra: 0n,
  btf: null,
  btfKeyTypeId: 0,
  btfValueTypeId: 0,
  btfVmlinuxValueTypeId: 0,
  inner: null,
  initial: null,
  frozen: false,
  slots: [],
  section: null,
};

const programOf = (insns: readonly Insn[]): Program => ({
  ...EMPTY_PROGRAM,
  name: 'p',
  section: 'xdp',
  type: PROG_TYPES.xdp,
  insns,
  maps: [PLAIN_MAP, { ...PLAIN_MAP, name: 'not a name' }],
});

const back = (text: string) => assemble(text, 'p.s', { profile: SMALL_KERNEL });
const again = (insns: readonly Insn[], dialect: DialectName) =>
  back(disassembleProgram(programOf(insns), { profile: SMALL_KERNEL, dialect })).programs[0]!;

/** Any instruction of the table with any operands; distances are mostly short, ids mostly known. */
const anyInsn: fc.Arbitrary<readonly Insn[]> = fc
  .record({
    opcode: fc.constantFrom(...OPCODES),
    dst: fc.nat(11),
    src: fc.nat(11),
    off: fc.oneof(fc.integer({ min: -12, max: 12 }), fc.integer({ min: -0x8000, max: 0x7fff })),
    imm: fc.oneof(fc.integer({ min: -12, max: 12 }), fc.integer()),
    second: fc.oneof(fc.constant(0), fc.integer()),
    wild: fc.boolean(),
  })
  .map(({ opcode, dst, src, off, imm, second, wild }) => {
    const selected = opcode.selector === null ? {} : { [opcode.selector.field]: opcode.selector.value };
    const used = wild
      ? { dst, src, off, imm }
      : {
          dst: opcode.dst === 'unused' ? 0 : dst,
          src: opcode.src === 'unused' ? 0 : src,
          off: opcode.off === 'unused' ? 0 : off,
          imm: opcode.imm === 'unused' ? 0 : imm,
        };
    const first = { code: opcode.code, ...used, ...selected };
    return opcode.kind === 'ld_imm64' ? [first, insn(0, 0, 0, 0, second)] : [first];
  });

describe.each(['kernel', 'ubpf'] as const)('disassemble, %s dialect', (dialect) => {
  it('every instruction comes back', () => {
    for (const opcode of OPCODES) {
      const { selector } = opcode;
      const base = insn(opcode.code, 1, opcode.src === 'unused' ? 0 : 2, 0, opcode.imm === 'unused' ? 0 : 1);
      const first = selector === null ? base : { ...base, [selector.field]: selector.value };
      const insns = opcode.kind === 'ld_imm64' ? [first, insn(0, 0, 0, 0, 0)] : [first];
      expect(again(insns, dialect).insns).toEqual(insns);
    }
  });

  it('any list of instructions comes back', () => {
    fc.assert(
      fc.property(fc.array(anyInsn, { minLength: 1, maxLength: 20 }), (parts) => {
        const insns = parts.flat();
        expect(again(insns, dialect).insns).toEqual(insns);
      }),
      { numRuns: 150 },
    );
  });

  it('any bytes come back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 96 }), (bytes) => {
        const insns = decodeProgram(bytes.subarray(0, bytes.length - (bytes.length % 8)));
        expect(again(insns, dialect).insns).toEqual(insns);
      }),
      { numRuns: 150 },
    );
  });
});

const SAMPLE = `
.license "Dual BSD/GPL"
.struct value { __u64 count; struct bpf_spin_lock { __u32 val; } lock; }
.map counts hash key="__u32" value="struct value" max_entries=16 flags=BPF_F_NO_PREALLOC
.map inner array key_size=4 value_size=8 max_entries=1 template
.map outer array_of_maps key_size=4 value_size=4 max_entries=2 inner=inner slots=1:counts
.map jumps prog_array key_size=4 value_size=4 max_entries=3 slots=0:first
.data "int state" = 7
.rodata "const char text[4]" = "ab\\n"
.section ".text"
.func "static int leaf(int x)"
; return x; @ sample.c:3
r0 = r1
exit
.section "xdp"
.program "int first(struct xdp_md *ctx)"
.expect verdict reject
.expect errno EACCES
.expect message "say \\"no\\""
.expect unprivileged verdict reject
; return leaf(ctx->x); @ sample.c:9:12
r1 = *(u32 *)(r1 +0)
if r1 > 5 goto out
r2 = state ll
r2 = *(u32 *)(r2 +0)
call leaf
out:
exit
.section "fentry/do_unlinkat"
.program second flags=BPF_F_SLEEPABLE
r1 = counts ll
r2 = leaf ll
call bpf_map_lookup_elem
r0 = 0
exit
.section "struct_ops"
.program third
exit
.struct_ops ops tcp_congestion_ops init=third
`;

/** All that a round trip keeps; BTF as bytes. */
const essence = (image: ObjectImage) => {
  const bare = ({ btf: _, ...map }: MapDef): object => ({ ...map, inner: map.inner === null ? null : bare(map.inner) });
  return {
    license: image.license,
    maps: image.maps.map(bare),
    expectations: [...image.expectations],
    types: image.btf === null ? null : [...image.btf.types()],
    programs: image.programs.map(({ btf, maps: _, lineInfo, ...program }) => ({
      ...program,
      lineInfo: lineInfo.map((row) => [row.insn, row.lineCol, btf!.stringAt(row.lineOff), btf!.stringAt(row.fileOff)]),
    })),
  };
};

describe('an object', () => {
  it('comes back with maps, functions, types, notes, targets and expectations', () => {
    const image = assemble(SAMPLE, 'sample.s', { profile: SMALL_KERNEL });
    const text = disassemble(image, { profile: SMALL_KERNEL });
    expect(essence(assemble(text, 'sample.s', { profile: SMALL_KERNEL }))).toEqual(essence(image));
  });

  it('reads well', () => {
    const image = assemble(
      '.map m array key_size=4 value_size=4 max_entries=1\n.section "xdp"\n.program p\nr1 = m ll\nif w1 s> -1 goto +1\ncall f\nr2 = m[0]+2 ll\nexit\n.func f\nexit',
      'p.s',
      { profile: SMALL_KERNEL },
    );
    expect(disassemble(image, { profile: SMALL_KERNEL })).toBe(`.dialect kernel
.license "GPL"
.map m array key_size=4 value_size=4 max_entries=1

.section "xdp"
.program p
  r1 = m ll
  if w1 s> 0xffffffff goto l4
  call func_7
l4:
  r2 = m[0]+2 ll
  exit

.func func_7
  exit
`);
  });
});

describe('inner maps', () => {
  const outer = (name: string, inner: MapDef): MapDef => ({ ...PLAIN_MAP, name, type: 12, valueSize: 4, inner });
  const inner = { ...PLAIN_MAP, name: 'inner' };
  const image = (maps: readonly MapDef[]): ObjectImage => {
    const program = { ...programOf([insn(0xb7, 0, 0, 0, 0), insn(0x95, 0, 0, 0, 0)]), maps };
    return { name: 'p.s', programs: [program], maps, btf: null, license: 'GPL', expectations: new Map() };
  };

  it('stands once in the text where two maps share it', () => {
    const text = disassemble(image([outer('a', inner), outer('b', inner)]), { profile: SMALL_KERNEL });
    expect(text.match(/template/g)).toHaveLength(1);
    expect(back(text).programs[0]!.maps.map((map) => map.inner?.name)).toEqual(['inner', 'inner']);
  });
  it('gets a name of its own where another map has it', () => {
    const other = { ...inner, valueSize: 64 };
    const maps = back(disassemble(image([outer('a', inner), outer('b', other)]), { profile: SMALL_KERNEL })).programs[0]!.maps;
    expect(maps.map((map) => [map.inner?.name, map.inner?.valueSize])).toEqual([
      ['inner', 8],
      ['inner_2', 64],
    ]);
  });
});
