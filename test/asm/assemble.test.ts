import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assemble } from '../../src/asm/assemble.ts';
import { renderMalformed } from '../../src/asm/diagnostics.ts';
import { ATTACH_TYPES } from '../../src/contracts/attach_types.ts';
import { Malformed } from '../../src/contracts/errors.ts';
import { MAP_TYPES, PROG_TYPES } from '../../src/contracts/uapi_numbers.ts';
import type { Insn } from '../../src/isa/insn.ts';
import { insn } from '../../src/isa/insn.ts';
import { insnText } from '../../src/isa/print.ts';
import { cpuTime } from '../cpu_time.ts';
import { SMALL_KERNEL } from './profile.ts';

const image = (text: string, file = 'sample.bpf.s') => assemble(text, file, { profile: SMALL_KERNEL });
const program = (text: string) => image(text).programs[0]!;
const listing = (insns: readonly Insn[]) => insns.flatMap((it, pc) => (it.code === 0 ? [] : [`${pc}: ${insnText(insns, pc)}`]));

const problems = (text: string): string[] => {
  try {
    image(text);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return error.diagnostics.map(({ line, column, message }) => `${line}:${column} ${message}`);
  }
  return [];
};

describe('a plain listing', () => {
  it('is a socket filter named after its file', () => {
    const { programs, license, maps, btf } = image('r0 = 0\nexit\n');
    expect(programs).toMatchObject([{ name: 'sample', section: 'socket', type: PROG_TYPES.socket_filter, loadError: null }]);
    expect(programs[0]!.insns).toEqual([insn(0xb7, 0, 0, 0, 0), insn(0x95, 0, 0, 0, 0)]);
    expect([license, maps, btf]).toEqual(['GPL', [], null]);
  });

  it('has labels, numeric labels, several statements a line and three kinds of comments', () => {
    const { insns } = program(`
      # one
      start: r1 = 1; r2 = 2; // two
      1: if r1 > r2 goto 1f   ; three
      r1 += 1; goto 1b
      1: if r2 == 0x2 goto end
      goto start
      end: exit
    `);
    expect(listing(insns)).toEqual([
      '0: r1 = 1',
      '1: r2 = 2',
      '2: if r1 > r2 goto pc+2',
      '3: r1 += 1',
      '4: goto pc-3',
      '5: if r2 == 0x2 goto pc+1',
      '6: goto pc-7',
      '7: exit',
    ]);
  });

  it('counts ld_imm64 as two slots', () => {
    const { insns } = program('goto out\nr1 = 0x1 ll\nr2 = 0x200000003 ll\nout: exit');
    expect(insns[0]).toEqual(insn(0x05, 0, 0, 4, 0));
    expect(insns.slice(3, 5)).toEqual([insn(0x18, 2, 0, 0, 3), insn(0, 0, 0, 0, 2)]);
  });

  it('knows constants and enumerators', () => {
    const { insns } = program('.equ LIMIT 0x10\n.c { enum { A = 3, B }; }\nr0 = B\nif r1 > LIMIT goto +0\nr2 = LIMIT ll\nexit');
    expect(listing(insns)).toEqual(['0: r0 = 4', '1: if r1 > 0x10 goto pc+0', '2: r2 = 0x10', '4: exit']);
  });

  it('takes whole instructions as numbers', () => {
    expect(program('.raw 0x5566778800000018 0x1122334400000000\n.raw 0x95').insns).toEqual([
      insn(0x18, 0, 0, 0, 0x55667788),
      insn(0, 0, 0, 0, 0x11223344),
      insn(0x95, 0, 0, 0, 0),
    ]);
  });
});

describe('a pasted log', () => {
  const LOG = `
Live regs before insn:
      0: .1........ (bf) r6 = r1
func#0 @0
0: R1=ctx() R10=fp0
; int x = ctx->len; @ prog.c:12
0: (61) r2 = *(u32 *)(r1 +0)          ; R1=ctx() R2_w=scalar()
1: (18) r3 = 0xffff888100000000       ; R3_w=map_ptr()
3: (55) if r2 != 0x7 goto pc+2        ; R2_w=7
4: (b7) r0 = 0                        ; R0_w=0
5: (95) exit

from 3 to 6: R0=1 R10=fp0
; return 1; @ prog.c:14
6: (b4) w0 = 1                        ; R0_w=1
7: (05) goto pc-3
from 7 to 5: safe
5: (95) exit
processed 8 insns (limit 1000000) max_states_per_insn 0 total_states 1 peak_states 1 mark_read 0
`;
  it('becomes its program', () => {
    const { insns, lineInfo, btf } = program(LOG);
    expect(listing(insns)).toEqual([
      '0: r2 = *(u32 *)(r1 +0)',
      '1: r3 = 0xffff888100000000',
      '3: if r2 != 0x7 goto pc+2',
      '4: r0 = 0',
      '5: exit',
      '6: w0 = 1',
      '7: goto pc-3',
    ]);
    expect(lineInfo.map((row) => [row.insn, btf!.stringAt(row.lineOff), row.lineCol >>> 10])).toEqual([
      [0, 'int x = ctx->len;', 12],
      [6, 'return 1;', 14],
    ]);
  });

  it('must be whole and agree with itself', () => {
    expect(problems('0: (b7) r0 = 0\n2: (95) exit')).toEqual(['2:9 slot 1 is not in this listing']);
    expect(problems('0: (b7) r0 = 0\n1: (95) exit\n0: (b7) r0 = 1')).toEqual([
      '3:9 slot 0 is shown with another instruction on line 1',
    ]);
    expect(problems('0: (bf) r0 = 0\n1: (95) exit')).toEqual(['1:9 this is code b7, not bf']);
  });
});

describe('an object dump', () => {
  it('becomes its program', () => {
    const dump = `
prog.o:	file format elf64-bpf

Disassembly of section xdp:

0000000000000000 <prog>:
       0:	18 01 00 00 88 77 66 55 00 00 00 00 44 33 22 11	r1 = 0x1122334455667788 ll
       2:	56 02 01 00 07 00 00 00	if w2 != 0x7 goto +0x1 <prog+0x20>
       3:	b4 00 00 00 02 00 00 00	w0 = 0x2
       4:	95 00 00 00 00 00 00 00	exit
`;
    expect(listing(program(dump).insns)).toEqual([
      '0: r1 = 0x1122334455667788',
      '2: if w2 != 0x7 goto pc+1',
      '3: w0 = 2',
      '4: exit',
    ]);
  });
});

describe('programs and sections', () => {
  it('have the type, attach type and flags of their section', () => {
    const { programs } = image(`
      .section "xdp.frags"
      .program a
      exit
      .section "fentry.s/do_unlinkat"
      .program b
      exit
      .section "tp_btf/sched_switch"
      .program c
      exit
      .section "lsm/file_open"
      .program d
      exit
      .section "fentry/no_such_function"
      .program e
      exit
      .section "what"
      .program f
      exit
    `);
    expect(
      programs.map(({ name, type, expectedAttachType, flags, attach, loadError }) => [
        name,
        type,
        expectedAttachType,
        flags,
        attach?.name ?? null,
        loadError,
      ]),
    ).toEqual([
      ['a', PROG_TYPES.xdp, ATTACH_TYPES.BPF_XDP, 1 << 5, null, null],
      ['b', PROG_TYPES.tracing, ATTACH_TYPES.BPF_TRACE_FENTRY, 1 << 4, 'do_unlinkat', null],
      ['c', PROG_TYPES.tracing, ATTACH_TYPES.BPF_TRACE_RAW_TP, 0, 'sched_switch', null],
      ['d', PROG_TYPES.lsm, ATTACH_TYPES.BPF_LSM_MAC, 0, 'bpf_lsm_file_open', null],
      [
        'e',
        PROG_TYPES.tracing,
        ATTACH_TYPES.BPF_TRACE_FENTRY,
        0,
        null,
        "prog 'e': failed to find kernel BTF type ID of 'no_such_function'",
      ],
      ['f', 0, 0, 0, null, "prog 'f': missing BPF prog type, check ELF section name 'what'"],
    ]);
  });

  it('can be told otherwise', () => {
    const text = '.license "Dual MIT/GPL"\n.program p type=sched_cls attach_type=BPF_TCX_INGRESS flags=BPF_F_SLEEPABLE|0x8\nexit';
    expect(program(text)).toMatchObject({
      type: PROG_TYPES.sched_cls,
      expectedAttachType: ATTACH_TYPES.BPF_TCX_INGRESS,
      hasAttachType: true,
      flags: 0x18,
      license: 'Dual MIT/GPL',
    });
  });

  it('implement members of struct_ops types', () => {
    const { programs, maps } = image(`
      .section "struct_ops"
      .program on_init
      exit
      .struct_ops ops tcp_congestion_ops init=on_init key=7 name="drybpf"
    `);
    expect(programs[0]).toMatchObject({
      type: PROG_TYPES.struct_ops,
      expectedAttachType: 1,
      attach: { name: 'tcp_congestion_ops' },
    });
    expect(maps[0]).toMatchObject({
      name: 'ops',
      type: MAP_TYPES.struct_ops,
      slots: [{ index: 1, name: 'on_init', kind: 'program' }],
    });
    expect(String.fromCharCode(...maps[0]!.initial!.slice(24, 30))).toBe('drybpf');
    expect(maps[0]!.initial![8]).toBe(7);
  });
});

describe('functions', () => {
  const SHARED = `
    .section ".text"
    .func "static int leaf(int x)"
    r0 = r1
    exit
    .func "int twice(int x)"
    call leaf
    r0 += r0
    exit
    .section "xdp"
    .program "int one(struct xdp_md *ctx)"
    r1 = 1
    call twice
    exit
    .program two
    r1 = leaf ll
    call leaf
    call twice
    exit
  `;

  it('are appended to each program at their first use, depth first', () => {
    const { programs } = image(SHARED);
    expect(listing(programs[0]!.insns)).toEqual([
      '0: r1 = 1',
      '1: call pc+1',
      '2: exit',
      '3: call pc+2',
      '4: r0 += r0',
      '5: exit',
      '6: r0 = r1',
      '7: exit',
    ]);
    expect(programs[1]!.insns.slice(0, 4)).toEqual([
      insn(0x18, 1, 4, 0, 4),
      insn(0, 0, 0, 0, 0),
      insn(0x85, 0, 1, 0, 2),
      insn(0x85, 0, 1, 0, 3),
    ]);
  });

  it('have BTF when one of them has a prototype', () => {
    const { programs, btf } = image(SHARED);
    const names = programs.map(({ funcInfo }) =>
      funcInfo.map(({ insn: slot, typeId }) => {
        const func = btf!.typeOf(typeId, 'FUNC')!;
        return [slot, func.name, func.linkage, btf!.typeOf(func.type, 'FUNC_PROTO')!.params.length];
      }),
    );
    expect(names).toEqual([
      [
        [0, 'one', 'global', 1],
        [3, 'twice', 'global', 1],
        [6, 'leaf', 'static', 1],
      ],
      [
        [0, 'two', 'global', 1],
        [5, 'leaf', 'static', 1],
        [7, 'twice', 'global', 1],
      ],
    ]);
    expect(image('.program p\ncall f\nexit\n.func f\nexit').programs[0]!.funcInfo).toEqual([]);
  });

  it('inside a program stay where they are', () => {
    const { insns } = program('.program p\ncall f\nexit\n.func f\nr0 = 1\nexit');
    expect(listing(insns)).toEqual(['0: call pc+1', '1: exit', '2: r0 = 1', '3: exit']);
    expect(problems('.program p\nexit\n.func f\nexit\n.program q\ncall f\nexit')).toEqual([
      "6:6 'f' is inside program 'p'; functions that programs share go into .section \".text\"",
    ]);
  });
});

describe('helpers, kfuncs and kernel symbols', () => {
  it('are found by name', () => {
    const { insns } = program(`
      .extern "void bpf_rcu_read_lock(void) __ksym"
      .extern "int runqueues __ksym"
      .extern "int gone(void) __ksym" weak
      .extern absent weak
      .extern fixed address=0xffffffff81000000
      call bpf_get_prandom_u32
      call bpf_rcu_read_lock
      call gone
      r1 = runqueues ll
      r2 = absent ll
      r3 = fixed ll
      exit
    `);
    const kfunc = SMALL_KERNEL.btf.findByName('bpf_rcu_read_lock', 'FUNC')!.id;
    const variable = SMALL_KERNEL.btf.findByName('runqueues', 'VAR')!.id;
    expect(insns.slice(0, 9)).toEqual([
      insn(0x85, 0, 0, 0, 7),
      insn(0x85, 0, 2, 0, kfunc),
      insn(0x85, 0, 0, 0, 2002000002),
      insn(0x18, 1, 3, 0, variable),
      insn(0, 0, 0, 0, 0),
      insn(0x18, 2, 0, 0, 0),
      insn(0, 0, 0, 0, 0),
      insn(0x18, 3, 0, 0, 0x81000000 | 0),
      insn(0, 0, 0, 0, -1),
    ]);
  });

  it('that the kernel lacks are poisoned calls, which the verifier refuses', () => {
    const { programs } = image('.extern "int gone(void)"\n.program a\ncall gone\nexit\n.program b\nexit');
    expect(programs.map(({ loadError }) => loadError)).toEqual([null, null]);
    expect(programs[0]!.insns[0]).toEqual(insn(0x85, 0, 0, 0, 2002000000));
    expect(problems('call bpf_no_such_thing\nexit')).toEqual(["1:6 no function, helper or kfunc 'bpf_no_such_thing'"]);
  });
});

describe('maps and global data', () => {
  it('are laid out and referred to', () => {
    const { programs, maps, btf } = image(`
      .struct value {
        __u64 count;
        int flags;
      }
      .map counts hash key="__u32" value="struct value" max_entries=16 flags=BPF_F_NO_PREALLOC
      .map slot array key_size=4 value_size=8 max_entries=1 template
      .map outer BPF_MAP_TYPE_ARRAY_OF_MAPS key_size=4 value_size=4 max_entries=2 inner=slot slots=1:counts
      .map jumps prog_array key_size=4 value_size=4 max_entries=3 slots=0:p
      .data "int first" = 7
      .data "static struct value second" = {0x1122334455667788, -1}
      .rodata "const char text[4]" = "ab\\n"
      .bss "unsigned char buffer[3]"
      .data.other raw 8 = -2
      .program p
      r1 = counts ll
      r2 = second+8 ll
      r3 = text ll
      r4 = counts[0]+4 ll
      r5 = raw ll
      exit
    `);
    expect(
      maps.map(({ name, type, keySize, valueSize, maxEntries, flags, frozen, section }) => [
        name,
        type,
        keySize,
        valueSize,
        maxEntries,
        flags,
        frozen,
        section,
      ]),
    ).toEqual([
      ['counts', MAP_TYPES.hash, 4, 16, 16, 1, false, null],
      ['outer', MAP_TYPES.array_of_maps, 4, 4, 2, 0, false, null],
      ['jumps', MAP_TYPES.prog_array, 4, 4, 3, 0, false, null],
      ['sample.data', MAP_TYPES.array, 4, 24, 1, 0x400, false, '.data'],
      ['sample.rodata', MAP_TYPES.array, 4, 4, 1, 0x480, true, '.rodata'],
      ['sample.bss', MAP_TYPES.array, 4, 3, 1, 0x400, false, '.bss'],
      ['.data.other', MAP_TYPES.array, 4, 8, 1, 0, false, '.data.other'],
    ]);
    expect(maps[1]!.inner).toMatchObject({ name: 'slot', type: MAP_TYPES.array, valueSize: 8 });
    expect(maps[1]!.slots).toEqual([{ index: 1, name: 'counts', kind: 'map' }]);
    expect(btf!.type(maps[0]!.btfValueTypeId)).toMatchObject({ kind: 'STRUCT', name: 'value', size: 16 });
    const datasec = btf!.typeOf(maps[3]!.btfValueTypeId, 'DATASEC')!;
    expect(datasec.vars.map(({ type, offset, size }) => [btf!.type(type).name, offset, size])).toEqual([
      ['first', 0, 4],
      ['second', 8, 16],
    ]);
    expect([...maps[3]!.initial!]).toEqual([
      7, 0, 0, 0, 0, 0, 0, 0, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 255, 255, 255, 255, 0, 0, 0, 0,
    ]);
    expect([...maps[4]!.initial!]).toEqual([97, 98, 10, 0]);
    expect([...maps[6]!.initial!]).toEqual([254, 255, 255, 255, 255, 255, 255, 255]);
    const wide = programs[0]!.insns.flatMap((it, pc, all) => (it.code === 0x18 ? [[it.src, it.imm, all[pc + 1]!.imm]] : []));
    expect(wide).toEqual([
      [1, 0, 0],
      [2, 3, 16],
      [2, 4, 0],
      [2, 0, 4],
      [2, 6, 0],
    ]);
  });

  it('are checked', () => {
    expect(
      problems(`.map a hash2 key_size=4 value_size=4 max_entries=1
.map b hash key="struct nothing" value_size=4 max_entries=x flags=BPF_F_WHAT colour=3
.map c array key_size=4 value_size=4 max_entries=1 inner=nobody slots=0:q
.map c array key_size=4 value_size=4 max_entries=1
.data "int x" = 1, 2
.rodata "char s[2]" = "abc"
.bss "int"
exit
`),
    ).toEqual([
      "1:8 no map type 'hash2'",
      '2:17 the key type has no size',
      '2:59 max_entries must be a number from 0 to 4294967295',
      "2:67 no map flag 'BPF_F_WHAT'",
      "2:85 .map has no attribute 'colour'",
      "3:1 no program 'q' for a slot of 'c'",
      "3:1 no map 'nobody'",
      "4:1 'c' is already a map",
      '5:17 more values than the variable has places',
      '6:23 the value has 3 bytes, the variable 2',
      '7:7 expected one C declaration of a variable',
    ]);
  });
});

describe('source notes', () => {
  it('belong to the next instruction', () => {
    const { lineInfo, btf } = program('; \treturn 0; @ dir/x.c:3:9\nr0 = 0\nexit');
    expect(lineInfo).toHaveLength(1);
    const [row] = lineInfo;
    expect([row!.insn, btf!.stringAt(row!.lineOff), btf!.stringAt(row!.fileOff), row!.lineCol]).toEqual([
      0,
      '\treturn 0;',
      'dir/x.c',
      (3 << 10) | 9,
    ]);
  });
});

describe('expectations', () => {
  it('belong to the file or to one program', () => {
    const { expectations, programs } = image(`
      .expect verdict accept
      .expect return 3
      .program a
      exit
      .program b
      .expect verdict reject
      .expect errno EACCES
      .expect message "R0 !read_ok"
      .expect message "/insn \\\\d+/"
      .expect not_message "BUG"
      .expect log_level 2
      .expect description "r0 is never written"
      .expect flags BPF_F_TEST_STATE_FREQ
      .expect test_flags BPF_F_TEST_REG_INVARIANTS
      .expect unchecked xlated
      .expect unprivileged verdict reject
      .expect unprivileged message "nothing"
      .expect unprivileged caps "CAP_BPF|CAP_PERFMON"
      .expect unprivileged skip "only for ARM64"
      exit
    `);
    expect(expectations.get('a')).toMatchObject({ verdict: 'accept', returns: 3, messages: [], errno: null, unprivileged: null });
    expect(expectations.get('b')).toMatchObject({
      verdict: 'reject',
      errno: 'EACCES',
      messages: ['R0 !read_ok', '/insn \\d+/'],
      notMessages: ['BUG'],
      notMessagesAfter: [2],
      logLevel: 2,
      flags: 128,
      caps: [],
      returns: null,
      unchecked: ['xlated'],
      skip: null,
      description: 'r0 is never written',
      unprivileged: {
        verdict: 'reject',
        messages: ['nothing'],
        caps: ['CAP_BPF', 'CAP_PERFMON'],
        skip: 'only for ARM64',
      },
    });
    expect(programs[1]!.flags).toBe(8);
  });

  it('are checked', () => {
    expect(
      problems(
        '.expect verdict maybe\n.expect errno ENOTHING\n.expect colour red\n.expect verdict\n.expect caps CAP_BPF\n.expect unprivileged caps CAP_CHOWN\nexit',
      ),
    ).toEqual([
      "1:9 no verdict 'maybe': accept, reject, unknown, not-loaded",
      "2:9 no error number 'ENOTHING'",
      "3:9 .expect has no key 'colour'",
      '4:9 .expect verdict takes one value',
      '5:9 capabilities are kept by unprivileged loads: .expect unprivileged caps',
      "6:22 no capability 'CAP_CHOWN': CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_SYS_ADMIN",
    ]);
  });
});

describe('errors', () => {
  it('are all reported, each with its line and a caret', () => {
    const text = 'r0 = 99999999999\n\tr1 = bogus\ngoto nowhere\n.what\n.c { struct { int }\nexit';
    try {
      image(text);
      expect.fail('was assembled');
    } catch (error) {
      expect((error as Malformed).message).toBe('sample.bpf.s:1:6: immediate 99999999999 does not fit 32 bits (and 4 more)');
      expect(renderMalformed(error as Malformed)).toBe(
        [
          'sample.bpf.s:1:6: immediate 99999999999 does not fit 32 bits',
          '    r0 = 99999999999',
          '         ^',
          "sample.bpf.s:2:7: 'bogus' is not a register, a number or a constant",
          '    \tr1 = bogus',
          '    \t     ^',
          "sample.bpf.s:3:6: no label 'nowhere'",
          '    goto nowhere',
          '         ^',
          "sample.bpf.s:4:1: no directive '.what'",
          '    .what',
          '    ^',
          "sample.bpf.s:5:4: this block has no closing '}'",
          '    .c { struct { int }',
          '       ^',
        ].join('\n'),
      );
    }
  });

  it('in C stand where the C is', () => {
    expect(problems('.c {\n  struct a { int x; };\n  struct b { nothing y; };\n}\nexit')).toEqual([
      "3:14 unknown type 'nothing'",
    ]);
    expect(problems('.c { int f(void); }\nexit')).toEqual([
      "1:5 a C block declares types; declare 'f' with .func, .program or .extern",
    ]);
  });

  it.each([
    ['', '1:1 there is no program'],
    ['a: r0 = 0\na: exit', "2:1 label 'a' is defined twice"],
    ['.section ".text"\nexit', '2:1 code in section .text belongs to a .func'],
    ['.func f\nexit', '1:1 there is no program'],
    ['.program p\nexit\n.program p\nexit', "3:1 'p' is already a program"],
    [
      '.map m array key_size=4 value_size=4 max_entries=1\nr1 = m+4 ll\nexit',
      "2:6 'm' is no variable: nothing can be added to it",
    ],
    ['.raw hello\nexit', "1:6 'hello' is not a 64-bit word"],
    ['.license "a" "b"\nexit', '1:1 .license takes one string'],
    ['.license = "a"\nexit', '1:10 .license takes no value'],
    ['0: (95) exit\nexit', '2:1 instructions with and without a slot number cannot be mixed'],
  ])('%j', (text, message) => {
    expect(problems(text)).toContain(message);
  });
});

describe('hostile text', () => {
  const elapsed = (text: string): number => {
    const start = cpuTime();
    expect(problems(text).length).toBeGreaterThan(0);
    return cpuTime() - start;
  };

  it.each([
    ['many bad lines', 'what is this?\n'.repeat(200_000)],
    ['one long line', `r0 = ${'('.repeat(100_000)}`],
    ['a long number', `r0 = 0x${'f'.repeat(100_000)} ll`],
    ['an open block', `.c {\n${'struct a {\n'.repeat(20_000)}`],
    ['deep C', `.c { int ${'('.repeat(50_000)}x; }`],
    ['a huge variable', '.bss huge 4294967295\nexit'],
    ['zero bytes', '\0'.repeat(1000)],
  ])('%s is refused quickly', (_, text) => {
    expect(elapsed(text)).toBeLessThan(3000);
  });

  it('any text is taken or refused, never more', () => {
    const words = [
      'r0',
      'w1',
      '=',
      '*(u32 *)',
      '(r1 +4)',
      'goto',
      'if',
      'll',
      '0x10',
      '.map',
      '.c {',
      '}',
      '"',
      ';',
      '@',
      ':',
      '.data',
      '{',
      'exit',
      '\n',
      '\n',
      '.program',
      'x',
      ' ',
    ];
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(fc.constantFrom(...words), { maxLength: 40 }).map((list) => list.join(' ')),
        ),
        (text) => {
          problems(text);
        },
      ),
      { numRuns: 300 },
    );
  });
});
