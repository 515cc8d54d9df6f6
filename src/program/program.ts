import type { Btf } from '../btf/btf.ts';
import type { Insn } from '../isa/insn.ts';
import type { ExpectedCase } from './expected_case.ts';

/**
 * A map as an object file declares it: what BPF_MAP_CREATE would be given. Map descriptors do not exist offline:
 * wherever the kernel's interface takes a descriptor, a `Program` holds an index into its `maps`.
 */
export interface MapDef {
  /** as the object declares it; the kernel keeps the first 15 characters */
  readonly name: string;
  /** BPF_MAP_TYPE_*, include/uapi/linux/bpf.h */
  readonly type: number;
  /** bytes */
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly mapExtra: bigint;
  /** the BTF that `btfKeyTypeId` and `btfValueTypeId` refer to; null for a map without BTF */
  readonly btf: Btf | null;
  readonly btfKeyTypeId: number;
  readonly btfValueTypeId: number;
  /** struct_ops maps: type id of the value struct in the kernel's BTF, else 0 */
  readonly btfVmlinuxValueTypeId: number;
  /** template of the inner map of a map-in-map */
  readonly inner: MapDef | null;
  /**
   * Initial bytes: of the one value of a data map (.data, .rodata, .bss, .kconfig) or of a struct_ops map (without its programs),
   * or of an arena. What follows them is zero.
   */
  readonly initial: Uint8Array | null;
  /** frozen after creation (libbpf freezes .rodata and .kconfig): with BPF_F_RDONLY_PROG its content is a constant */
  readonly frozen: boolean;
  /** declared initial slots: inner maps of a map-in-map, programs of a program array */
  readonly slots: readonly MapSlot[];
  /** kernel-visible kind of global data section, for printing; null for ordinary maps */
  readonly section: string | null;
}

export interface MapSlot {
  /** struct_ops maps: index of the member in the kernel's struct */
  readonly index: number;
  /** name of the inner map or of the program that stands in the slot */
  readonly name: string;
  readonly kind: 'map' | 'program';
}

/** One row of .BTF.ext func_info: the function that starts at slot `insn` has this BTF_KIND_FUNC. */
export interface FuncInfo {
  readonly insn: number;
  readonly typeId: number;
}

/** One row of .BTF.ext line_info. Offsets are into the string section of the program's BTF. */
export interface LineInfo {
  readonly insn: number;
  readonly fileOff: number;
  readonly lineOff: number;
  /** line number << 10 | column, as in struct bpf_line_info */
  readonly lineCol: number;
}

/** What a tracing, LSM, struct_ops, iterator or freplace program is attached to, as BPF_PROG_LOAD is told. */
export interface AttachTarget {
  /**
   * Name of the target as attach_func_name has it: a kernel function (`bpf_lsm_file_open`, `bpf_iter_task`), a raw tracepoint
   * (`sched_switch`), a struct_ops type, or a program's function.
   */
  readonly name: string;
  /** type id in the kernel's BTF (`program` null), or in the BTF of the program that is replaced */
  readonly btfId: number;
  /** freplace and tracing of BPF programs: the program that is attached to */
  readonly program: Program | null;
}

/** BPF_F_* of BPF_PROG_LOAD's prog_flags. */
export const PROG_FLAGS = {
  BPF_F_STRICT_ALIGNMENT: 1 << 0,
  BPF_F_ANY_ALIGNMENT: 1 << 1,
  BPF_F_TEST_RND_HI32: 1 << 2,
  BPF_F_TEST_STATE_FREQ: 1 << 3,
  BPF_F_SLEEPABLE: 1 << 4,
  BPF_F_XDP_HAS_FRAGS: 1 << 5,
  BPF_F_XDP_DEV_BOUND_ONLY: 1 << 6,
  BPF_F_TEST_REG_INVARIANTS: 1 << 7,
  BPF_F_TOKEN_FD: 1 << 16,
} as const;
export type ProgFlag = keyof typeof PROG_FLAGS;

/**
 * One program as BPF_PROG_LOAD would be given it: after static linking, CO-RE and map relocation.
 *
 * In `insns` an `ld_imm64` with src BPF_PSEUDO_MAP_FD or BPF_PSEUDO_MAP_VALUE has an index into `maps` as its first
 * immediate (a number outside `maps` is no map: below zero it is the complement of the descriptor that hand-written code
 * named); BPF_PSEUDO_BTF_ID has a type id of the kernel's BTF; a kfunc call (src 2) has the type id of its BTF_KIND_FUNC in
 * the kernel's BTF and offset 0.
 */
export interface Program {
  readonly name: string;
  /** ELF section it came from, such as `xdp` or `tp_btf/sched_switch` */
  readonly section: string;
  /** BPF_PROG_TYPE_* */
  readonly type: number;
  /** BPF_* attach type, 0 where none is expected */
  readonly expectedAttachType: number;
  /** true when the section (or directive) names an attach type, as opposed to the default 0 */
  readonly hasAttachType: boolean;
  readonly attach: AttachTarget | null;
  /** sum of PROG_FLAGS */
  readonly flags: number;
  readonly license: string;
  readonly insns: readonly Insn[];
  readonly maps: readonly MapDef[];
  readonly btf: Btf | null;
  readonly funcInfo: readonly FuncInfo[];
  readonly lineInfo: readonly LineInfo[];
  /** where the loader failed before the kernel would have seen the program; the message says why. Else null. */
  readonly loadError: string | null;
}

/** No instructions, and nothing around them: what programs that are made by hand begin with. */
export const EMPTY_PROGRAM: Program = {
  name: '',
  section: '',
  type: 0,
  expectedAttachType: 0,
  hasAttachType: false,
  attach: null,
  flags: 0,
  license: 'GPL',
  insns: [],
  maps: [],
  btf: null,
  funcInfo: [],
  lineInfo: [],
  loadError: null,
};

/**
 * The types that a program keeps once it is loaded: Linux looks at them only where there are records of functions or lines.
 * Source: check_btf_info_early, kernel/bpf/verifier.c.
 */
export const keptTypes = ({ btf, funcInfo, lineInfo }: Program): Btf | null =>
  funcInfo.length + lineInfo.length === 0 ? null : btf;

/** A symbol that an object leaves to the kernel. */
export interface ExternDef {
  readonly name: string;
  readonly kind: 'kconfig' | 'variable' | 'function' | 'unknown';
  /** may be absent from the kernel */
  readonly weak: boolean;
  /** the kernel has it */
  readonly found: boolean;
  /** why no program that takes its address or reads it is loaded; calls of it are refused by the verifier. Null: it may be used */
  readonly error: string | null;
}

/** What an object file or a text file brings: its programs, each ready to be verified alone. */
export interface ObjectImage {
  /** name of the file as given */
  readonly name: string;
  readonly programs: readonly Program[];
  /** every map of the object, also those that no program uses */
  readonly maps: readonly MapDef[];
  readonly btf: Btf | null;
  readonly license: string;
  /** expectations that a text program or an annotated object carries, by program name */
  readonly expectations: ReadonlyMap<string, Expectation>;
  /** what text programs say of runs of theirs in worlds, by program name */
  readonly cases?: ReadonlyMap<string, readonly ExpectedCase[]>;
  /** in libbpf's order: the call of a missing kfunc is replaced by one of helper 2002000000 plus the position here */
  readonly externs?: readonly ExternDef[];
}

/** What a program says of its own verdict (header of a text program, declaration tags of an annotated object). */
export interface Expectation {
  readonly verdict: 'accept' | 'reject' | 'unknown' | 'not-loaded' | null;
  /** substrings, or regular expressions when written as /…/ , in the order in which the log has them */
  readonly messages: readonly string[];
  readonly notMessages: readonly string[];
  /** for each of `notMessages` how many of `messages` stand before it: it may not occur between that one and the next */
  readonly notMessagesAfter: readonly number[];
  readonly errno: string | null;
  readonly logLevel: number;
  /** PROG_FLAGS that the test adds to those of the program */
  readonly flags: number;
  /** CAP_* that the loader keeps in a load without privileges */
  readonly caps: readonly string[];
  /** expected return value of a run */
  readonly returns: number | null;
  /** names of what else is expected and cannot be looked at offline: `xlated`, `jited`, `stderr`, `stdout` */
  readonly unchecked: readonly string[];
  /** why the kernel's own loader of tests would pass over it on x86-64 with a JIT; null when it would not */
  readonly skip: string | null;
  readonly unprivileged: Expectation | null;
  readonly description: string;
}
