import { describe, expect, it } from 'vitest';
import { btfFromC } from '../../src/btf/c_parser.ts';
import { BTF_F_COMPACT, BTF_F_NONAME, BTF_F_PTR_RAW, BTF_F_ZERO } from '../../src/btf/print/show.ts';
import { BTF_KINDS, type BtfKind } from '../../src/btf/types.ts';
import { KernelObjects } from '../../src/kernel/objects/kernel_objects.ts';
import { SEQ_FILES, SeqFile } from '../../src/kernel/seq_file.ts';
import { TestHost } from './host.ts';

const { btf } = btfFromC(`
typedef unsigned char __u8; typedef short __s16; typedef int __s32; typedef unsigned int __u32; typedef unsigned long u64;
typedef struct { int counter; } atomic_t;
enum bpf_cmd { BPF_MAP_CREATE, BPF_MAP_LOOKUP_ELEM };
enum signed_one { MINUS = -1, PLUS = 1 };
struct btf_enum { __u32 name_off; __s32 val; };
struct list_head { struct list_head *next, *prev; };
struct info { __u32 type; char name[16]; __u32 after; };
struct words { __u32 len; __u32 cb[5]; };
struct insn { __u8 code; __u8 dst_reg : 4; __u8 src_reg : 4; __s16 off; __s32 imm; };
struct holds_nothing { int first; struct list_head list; int last; };
struct elements { struct btf_enum pair[2]; int last; };
struct pointers { void *at[2]; const char *text; int (*call)(int); };
struct anonymous { int kind; union { int a; char bytes[4]; }; };
struct seq_file { char *buf; unsigned long size, count; };
struct wide { __int128 big; };
union bpf_iter_link_info {
  struct { __u32 map_fd; } map;
  struct { __u32 io_uring_fd; } io_uring;
  struct { __u32 epoll_fd; } epoll;
};
`);

const idOf = (name: string, kind: BtfKind): number => btf.findByName(name, kind)!.id;

interface Printed {
  readonly result: bigint;
  readonly text: string;
}

function snprintf(id: number, bytes: readonly number[], flags: number, room = 2000): Printed {
  const host = new TestHost();
  host.btf = btf;
  const object = host.place(Uint8Array.from([...bytes, ...new Uint8Array(64)]));
  const pointer = new Uint8Array(16);
  const view = new DataView(pointer.buffer);
  view.setBigUint64(0, object, true);
  view.setUint32(8, id, true);
  const out = host.room(room);
  const result = host.run('bpf_snprintf_btf', [out, room, host.place(pointer), 16, flags]);
  const written = host.at(out, room);
  return { result, text: String.fromCharCode(...written.subarray(0, Math.max(0, written.indexOf(0)))) };
}

const le32 = (...values: number[]): number[] => values.flatMap((value) => [...new Uint8Array(Uint32Array.of(value).buffer)]);
const text = (word: string): number[] => [...word].map((char) => char.charCodeAt(0));

const C = BTF_F_COMPACT;
const CN = BTF_F_COMPACT | BTF_F_NONAME;
const CZ = BTF_F_COMPACT | BTF_F_ZERO;
const CNZ = BTF_F_COMPACT | BTF_F_NONAME | BTF_F_ZERO;
const CP = BTF_F_COMPACT | BTF_F_PTR_RAW;

/** Rows without a mark are those of the kernel's own test, tools/testing/selftests/bpf/progs/netif_receive_skb.c. */
describe('bpf_snprintf_btf', () => {
  it.each<[string, BtfKind, number, number[], string]>([
    ['int', 'INT', C, le32(1234), '(int)1234'],
    ['int', 'INT', CN, le32(1234), '1234'],
    ['int', 'INT', C, le32(0), '(int)0'],
    ['int', 'INT', CN, le32(0), '0'],
    ['int', 'INT', CZ, le32(0), '(int)0'],
    ['int', 'INT', C, le32(-4567), '(int)-4567'],
    ['char', 'INT', C, [100], '(char)100'],
    ['char', 'INT', C, [0], '(char)0'],
    ['u64', 'TYPEDEF', C, [100, 0, 0, 0, 0, 0, 0, 0], '(u64)100'],
    ['u64', 'TYPEDEF', CN, [0], '0'],
    ['atomic_t', 'TYPEDEF', C, le32(1), '(atomic_t){.counter = (int)1,}'],
    ['atomic_t', 'TYPEDEF', CN, le32(1), '{1,}'],
    ['atomic_t', 'TYPEDEF', C, le32(0), '(atomic_t){}'],
    ['atomic_t', 'TYPEDEF', CN, le32(0), '{}'],
    ['atomic_t', 'TYPEDEF', CZ, le32(0), '(atomic_t){.counter = (int)0,}'],
    ['atomic_t', 'TYPEDEF', CNZ, le32(0), '{0,}'],
    ['bpf_cmd', 'ENUM', C, le32(0), '(enum bpf_cmd)BPF_MAP_CREATE'],
    ['bpf_cmd', 'ENUM', CN, le32(0), 'BPF_MAP_CREATE'],
    ['bpf_cmd', 'ENUM', C, le32(2000), '(enum bpf_cmd)2000'],
    ['btf_enum', 'STRUCT', C, le32(3, -1), '(struct btf_enum){.name_off = (__u32)3,.val = (__s32)-1,}'],
    ['btf_enum', 'STRUCT', CN, le32(3, -1), '{3,-1,}'],
    ['btf_enum', 'STRUCT', CN, le32(0, -1), '{-1,}'],
    ['btf_enum', 'STRUCT', CNZ, le32(0, -1), '{0,-1,}'],
    ['btf_enum', 'STRUCT', C, le32(0, 0), '(struct btf_enum){}'],
    ['list_head', 'STRUCT', CP, le32(1), '(struct list_head){.next = (struct list_head *)0x0000000000000001,}'],
    ['list_head', 'STRUCT', CP, le32(0), '(struct list_head){}'],
    ['info', 'STRUCT', C, [...le32(0), ...text('foo')], "(struct info){.name = (char[])['f','o','o',],}"],
    ['info', 'STRUCT', CN, [...le32(0), ...text('foo')], "{['f','o','o',],}"],
    ['info', 'STRUCT', C, [...le32(0), 0, ...text('foo')], '(struct info){}'],
    ['info', 'STRUCT', C, [...le32(0), 1, 2, 3], '(struct info){.name = (char[])[1,2,3,],}'],
    ['words', 'STRUCT', C, le32(0, 1, 2, 3, 4, 5), '(struct words){.cb = (__u32[])[1,2,3,4,5,],}'],
    ['words', 'STRUCT', C, le32(0, 0, 0, 1), '(struct words){.cb = (__u32[])[1,],}'],
    ['insn', 'STRUCT', CN, [1, 0x32, 4, 0, ...le32(5)], '{1,0x2,0x3,4,5,}'],
    [
      'insn',
      'STRUCT',
      C,
      [1, 0x32, 4, 0, ...le32(5)],
      '(struct insn){.code = (__u8)1,.dst_reg = (__u8)0x2,.src_reg = (__u8)0x3,.off = (__s16)4,.imm = (__s32)5,}',
    ],
  ])('%s %s with flags %i', (name, kind, flags, bytes, expected) => {
    const { result, text: printed } = snprintf(idOf(name, kind), bytes, flags);
    expect(printed).toBe(expected);
    expect(result).toBe(BigInt(expected.length));
  });

  it.each<[string, string, BtfKind, number, number[], string]>([
    ['a struct of zeros between others is left out', 'holds_nothing', 'STRUCT', CN, le32(7, 0, 0, 0, 0, 0, 8), '{7,8,}'],
    [
      'elements that are structs, and their members, have no names',
      'elements',
      'STRUCT',
      C,
      le32(1, 2, 0, 0, 9),
      '(struct elements){.pair = (struct btf_enum[])[1,2,},],.last = (int)9,}',
    ],
    [
      'elements that are pointers show the first of them',
      'pointers',
      'STRUCT',
      CP,
      le32(1, 0, 2),
      '(struct pointers){.at = ( *[])0x0000000000000001,0x0000000000000001,],}',
    ],
    [
      'a union without a name',
      'anonymous',
      'STRUCT',
      C,
      [...le32(1), ...text('ab')],
      "(struct anonymous){.kind = (int)1,(union){.a = (int)25185,.bytes = (char[])['a','b',],},}",
    ],
    ['128 bits', 'wide', 'STRUCT', CN, le32(1, 0, 2), '{0x20000000000000001,}'],
    ['a name of a signed enumeration', 'signed_one', 'ENUM', CN, le32(-1), 'MINUS'],
    ['a signed enumeration without one', 'signed_one', 'ENUM', CN, le32(-7), '-7'],
    [
      'lines, one blank deeper each',
      'btf_enum',
      'STRUCT',
      0,
      le32(3, 4),
      '(struct btf_enum){\n .name_off = (__u32)3,\n .val = (__s32)4,\n}\n',
    ],
  ])('%s', (_rule, name, kind, flags, bytes, expected) => {
    expect(snprintf(idOf(name, kind), bytes, flags).text).toBe(expected);
  });

  it('D.10 btf_dump: shows every member of the union that links are made with, as the proposal had it', () => {
    expect(snprintf(idOf('bpf_iter_link_info', 'UNION'), le32(1), C).text).toBe(
      '(union bpf_iter_link_info){.map = (struct){.map_fd = (__u32)1,},.io_uring = (struct){.io_uring_fd = (__u32)1,},.epoll = (struct){.epoll_fd = (__u32)1,},}',
    );
  });

  it('cuts the text and answers the length of the whole', () => {
    expect(snprintf(idOf('int', 'INT'), le32(1234), C, 4)).toEqual({ result: 9n, text: '(in' });
  });

  it.each<[string, number, number, number, bigint]>([
    ['a flag that does not exist', 1, 16, 16, -22n],
    ['a btf_ptr of another size', 1, 12, 0, -22n],
    ['type 0', 0, 16, 0, -22n],
    ['a type that does not exist', 1_000_000, 16, 0, -2n],
    ['a negative type', -1, 16, 0, -2n],
  ])('refuses %s', (_what, id, size, flags, expected) => {
    const host = new TestHost();
    host.btf = btf;
    const pointer = new Uint8Array(16);
    new DataView(pointer.buffer).setInt32(8, id, true);
    expect(host.run('bpf_snprintf_btf', [host.room(8), 8, host.place(pointer), size, flags])).toBe(expected);
  });

  it.each([
    ['NULL', 0n, -34n],
    ['kernel memory that is not there', 0xffff_8880_7fff_0000n, -14n],
  ])('writes nothing for %s', (_what, object, expected) => {
    const host = new TestHost();
    host.btf = btf;
    const pointer = new Uint8Array(16);
    new DataView(pointer.buffer).setBigUint64(0, object, true);
    new DataView(pointer.buffer).setInt32(8, idOf('int', 'INT'), true);
    const out = host.place(Uint8Array.of(7, 7));
    expect(host.run('bpf_snprintf_btf', [out, 2, host.place(pointer), 16, 0])).toBe(expected);
    expect([...host.at(out, 2)]).toEqual([7, 7]);
  });

  it('says what it cannot show', () => {
    const id = [...btf.types()].find(({ kind }) => kind === 'FUNC_PROTO')!.id;
    expect(snprintf(id, [], 0).text).toBe(`<unsupported kind:${BTF_KINDS.indexOf('FUNC_PROTO')}>`);
  });
});

describe('bpf_seq_printf_btf', () => {
  it('writes into the file of an iterator', () => {
    const host = new TestHost();
    host.btf = btf;
    const seq = new SeqFile(new KernelObjects(host.memory, btf), 0);
    seq.allocateBuffer();
    host.part(SEQ_FILES).set(seq.offset, seq);
    const pointer = new Uint8Array(16);
    const view = new DataView(pointer.buffer);
    view.setBigUint64(0, host.place(Uint8Array.from(le32(5))), true);
    view.setInt32(8, idOf('int', 'INT'), true);
    expect(host.run('bpf_seq_printf_btf', [host.addressOf(seq.offset), host.place(pointer), 16, 0])).toBe(0n);
    expect(String.fromCharCode(...seq.take(0, seq.count))).toBe('(int)5\n');
    expect(host.run('bpf_seq_printf_btf', [host.addressOf(seq.offset), host.place(pointer), 16, 16])).toBe(-22n);
  });
});
