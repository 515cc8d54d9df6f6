import {
  ALU_OP,
  type AluOpName,
  BPF_ADDR_PERCPU,
  BPF_ADDR_SPACE_CAST,
  BPF_ATOMIC,
  BPF_CMPXCHG,
  BPF_FETCH,
  BPF_IMM,
  BPF_K,
  BPF_LOAD_ACQ,
  BPF_MAY_GOTO,
  BPF_MEM,
  BPF_MEMSX,
  BPF_STORE_REL,
  BPF_TO_BE,
  BPF_TO_LE,
  BPF_X,
  BPF_XCHG,
  CALL_SRC,
  CLASS,
  type ClassName,
  JMP_OP,
  type JmpOpName,
  LD_IMM64_SRC,
  MODE,
  SIZE,
} from './constants.ts';
import type { Insn } from './insn.ts';
import type { Opcode } from './opcode.ts';

const R0 = 1;
const ARGS = 0x3e;
const ALL = 0xffff;

const BASE = {
  source: null,
  width: 0,
  mode: null,
  size: null,
  text: '',
  selector: null,
  dst: 'unused',
  src: 'unused',
  off: 'unused',
  imm: 'unused',
  alsoReads: 0,
  alsoWrites: 0,
  unchecked: null,
  cpu: 'v1',
  origin: 'user',
} as const;

const entry = (fields: Pick<Opcode, 'kind' | 'code' | 'cls' | 'op' | 'family'> & Partial<Opcode>): Opcode => ({
  ...BASE,
  ...fields,
});

const select = (field: 'off' | 'imm' | 'src', value: number) => ({ field, value });

const ALU_CLASSES = [
  { cls: 'BPF_ALU64', width: 64 },
  { cls: 'BPF_ALU', width: 32 },
] as const;

const JMP_CLASSES = [
  { cls: 'BPF_JMP', width: 64 },
  { cls: 'BPF_JMP32', width: 32 },
] as const;

const OPERANDS = [
  { source: 'K', bit: BPF_K, src: 'unused', imm: 'value' },
  { source: 'X', bit: BPF_X, src: 'read', imm: 'unused' },
] as const;

const BINARY_ALU: readonly { op: AluOpName; text: string; signed?: { op: string; text: string } }[] = [
  { op: 'BPF_ADD', text: '+=' },
  { op: 'BPF_SUB', text: '-=' },
  { op: 'BPF_MUL', text: '*=' },
  { op: 'BPF_DIV', text: '/=', signed: { op: 'BPF_SDIV', text: 's/=' } },
  { op: 'BPF_OR', text: '|=' },
  { op: 'BPF_AND', text: '&=' },
  { op: 'BPF_LSH', text: '<<=' },
  { op: 'BPF_RSH', text: '>>=' },
  { op: 'BPF_MOD', text: '%=', signed: { op: 'BPF_SMOD', text: 's%=' } },
  { op: 'BPF_XOR', text: '^=' },
  { op: 'BPF_ARSH', text: 's>>=' },
];

const binaryAlu = (): Opcode[] =>
  ALU_CLASSES.flatMap(({ cls, width }) =>
    BINARY_ALU.flatMap(({ op, text, signed }) =>
      OPERANDS.flatMap(({ source, bit, src, imm }) => {
        const shape = { kind: 'alu', code: CLASS[cls] | ALU_OP[op] | bit, cls, source, width, src, imm } as const;
        const plain = entry({ ...shape, op, text, dst: 'update', family: 'BPF_ALU' });
        if (signed === undefined) return [plain];
        return [
          { ...plain, off: 'selector', selector: select('off', 0) } as const,
          { ...plain, ...signed, off: 'selector', selector: select('off', 1), cpu: 'v4' } as const,
        ];
      }),
    ),
  );

const moves = (): Opcode[] =>
  ALU_CLASSES.flatMap(({ cls, width }) => {
    const shape = { kind: 'mov', cls, width, text: '=', op: 'BPF_MOV', dst: 'write', family: 'BPF_MOV' } as const;
    const x = { ...shape, code: CLASS[cls] | ALU_OP.BPF_MOV | BPF_X, source: 'X', src: 'read', off: 'selector' } as const;
    const extended = width === 64 ? [8, 16, 32] : [8, 16];
    const list = [
      entry({ ...shape, code: CLASS[cls] | ALU_OP.BPF_MOV | BPF_K, source: 'K', imm: 'value' }),
      entry({ ...x, selector: select('off', 0) }),
      ...extended.map((bits) =>
        entry({ ...x, kind: 'movsx', op: 'BPF_MOVSX', text: `(s${bits})`, selector: select('off', bits), cpu: 'v4' }),
      ),
    ];
    if (width === 32) return list;
    return [
      ...list,
      entry({
        ...x,
        kind: 'addr_space_cast',
        op: 'ADDR_SPACE_CAST',
        text: 'addr_space_cast',
        imm: 'address_spaces',
        selector: select('off', BPF_ADDR_SPACE_CAST),
        cpu: 'v4',
      }),
      entry({
        ...x,
        kind: 'mov_percpu',
        op: 'MOV_PERCPU_ADDR',
        text: '&(void __percpu *)',
        selector: select('off', BPF_ADDR_PERCPU),
        origin: 'kernel',
      }),
    ];
  });

const negations = (): Opcode[] =>
  ALU_CLASSES.map(({ cls, width }) =>
    entry({
      kind: 'neg',
      code: CLASS[cls] | ALU_OP.BPF_NEG,
      cls,
      op: 'BPF_NEG',
      width,
      text: '-',
      dst: 'update',
      family: 'BPF_NEG',
    }),
  );

const BYTE_ORDERS = [
  { cls: 'BPF_ALU', bit: BPF_TO_LE, source: 'TO_LE', op: 'BPF_END/TO_LE', text: 'le', cpu: 'v1' },
  { cls: 'BPF_ALU', bit: BPF_TO_BE, source: 'TO_BE', op: 'BPF_END/TO_BE', text: 'be', cpu: 'v1' },
  { cls: 'BPF_ALU64', bit: BPF_TO_LE, source: null, op: 'BPF_END/BSWAP', text: 'bswap', cpu: 'v4' },
] as const;

const byteOrders = (): Opcode[] =>
  BYTE_ORDERS.flatMap(({ bit, ...order }) =>
    ([16, 32, 64] as const).map((width) =>
      entry({
        ...order,
        kind: 'end',
        code: CLASS[order.cls] | ALU_OP.BPF_END | bit,
        width,
        dst: 'update',
        imm: 'selector',
        selector: select('imm', width),
        family: 'BPF_END',
      }),
    ),
  );

const SIZES = [
  { size: 'BPF_B', width: 8, type: 'u8', signed: 's8' },
  { size: 'BPF_H', width: 16, type: 'u16', signed: 's16' },
  { size: 'BPF_W', width: 32, type: 'u32', signed: 's32' },
  { size: 'BPF_DW', width: 64, type: 'u64', signed: null },
] as const;

const loadsAndStores = (): Opcode[] =>
  SIZES.flatMap(({ size, width, type, signed }) => {
    const mem = { size, width, mode: 'BPF_MEM', op: 'BPF_MEM', text: type, off: 'displacement' } as const;
    const code = (cls: ClassName, mode: number) => CLASS[cls] | mode | SIZE[size];
    const load = { ...mem, cls: 'BPF_LDX', dst: 'write', src: 'read', family: 'BPF_LDX' } as const;
    const list = [
      entry({ ...load, kind: 'ldx', code: code('BPF_LDX', BPF_MEM) }),
      entry({ ...mem, kind: 'st', cls: 'BPF_ST', code: code('BPF_ST', BPF_MEM), dst: 'read', imm: 'value', family: 'BPF_ST' }),
      entry({ ...mem, kind: 'stx', cls: 'BPF_STX', code: code('BPF_STX', BPF_MEM), dst: 'read', src: 'read', family: 'BPF_STX' }),
    ];
    if (signed === null) return list;
    const sx = { kind: 'ldsx', mode: 'BPF_MEMSX', op: 'BPF_MEMSX', text: signed, cpu: 'v4' } as const;
    return [...list, entry({ ...load, ...sx, code: code('BPF_LDX', BPF_MEMSX) })];
  });

const ATOMIC_ALU = [
  { op: 'BPF_ADD', operator: '+=', word: 'add', plain: 'v1' },
  { op: 'BPF_OR', operator: '|=', word: 'or', plain: 'v3' },
  { op: 'BPF_AND', operator: '&=', word: 'and', plain: 'v3' },
  { op: 'BPF_XOR', operator: '^=', word: 'xor', plain: 'v3' },
] as const;

const atomics = (): Opcode[] =>
  SIZES.flatMap(({ size, width }) => {
    const shape = {
      cls: 'BPF_STX',
      code: CLASS.BPF_STX | BPF_ATOMIC | SIZE[size],
      size,
      width,
      mode: 'BPF_ATOMIC',
      dst: 'read',
      off: 'displacement',
      imm: 'selector',
      family: 'BPF_ATOMIC',
      cpu: 'v3',
    } as const;
    const ordered = [
      entry({
        ...shape,
        kind: 'load_acquire',
        op: 'BPF_LOAD_ACQ',
        text: 'load_acquire',
        dst: 'write',
        src: 'read',
        selector: select('imm', BPF_LOAD_ACQ),
        cpu: 'v4',
      }),
      entry({
        ...shape,
        kind: 'store_release',
        op: 'BPF_STORE_REL',
        text: 'store_release',
        src: 'read',
        selector: select('imm', BPF_STORE_REL),
        cpu: 'v4',
      }),
    ];
    const origin = width < 32 ? 'refused' : 'user';
    const r0 = { alsoReads: R0, alsoWrites: R0 } as const;
    return [
      ...ATOMIC_ALU.flatMap(({ op, operator, word, plain }) => [
        entry({
          ...shape,
          kind: 'atomic',
          op,
          text: operator,
          src: 'read',
          origin,
          selector: select('imm', ALU_OP[op]),
          cpu: plain,
        }),
        entry({
          ...shape,
          kind: 'atomic_fetch',
          op: `${op}|FETCH`,
          text: word,
          src: 'update',
          origin,
          selector: select('imm', ALU_OP[op] | BPF_FETCH),
        }),
      ]),
      entry({
        ...shape,
        kind: 'xchg',
        op: 'BPF_XCHG',
        text: 'xchg',
        src: 'update',
        origin,
        selector: select('imm', BPF_XCHG),
      }),
      entry({
        ...shape,
        ...r0,
        kind: 'cmpxchg',
        op: 'BPF_CMPXCHG',
        text: 'cmpxchg',
        src: 'read',
        origin,
        selector: select('imm', BPF_CMPXCHG),
      }),
      ...ordered,
    ];
  });

/** The kernel counts every register as read by a packet load, which may end the program. Source: compute_insn_live_regs. */
const packetLoads = (): Opcode[] =>
  SIZES.filter(({ width }) => width < 64).flatMap(({ size, width, type }) => {
    const shape = { cls: 'BPF_LD', size, width, text: type, imm: 'value', alsoReads: ALL, family: 'BPF_LD_[ABS|IND]' } as const;
    const code = (mode: 'BPF_ABS' | 'BPF_IND') => CLASS.BPF_LD | MODE[mode] | SIZE[size];
    return [
      entry({ ...shape, kind: 'ld_abs', op: 'BPF_ABS', mode: 'BPF_ABS', code: code('BPF_ABS') }),
      entry({ ...shape, kind: 'ld_ind', op: 'BPF_IND', mode: 'BPF_IND', code: code('BPF_IND'), src: 'read' }),
    ];
  });

const wideImmediates = (): Opcode[] =>
  Object.entries({ imm64: 0, ...LD_IMM64_SRC }).map(([name, src]) =>
    entry({
      kind: 'ld_imm64',
      code: CLASS.BPF_LD | BPF_IMM | SIZE.BPF_DW,
      cls: 'BPF_LD',
      op: `BPF_IMM/${name.replace('BPF_', '')}`,
      size: 'BPF_DW',
      width: 64,
      mode: 'BPF_IMM',
      dst: 'write',
      src: 'selector',
      imm: 'low_word',
      selector: select('src', src),
      family: 'BPF_LD_IMM64',
    }),
  );

const CONDITIONS: readonly { op: JmpOpName; text: string; cpu: 'v1' | 'v2' }[] = [
  { op: 'BPF_JEQ', text: '==', cpu: 'v1' },
  { op: 'BPF_JGT', text: '>', cpu: 'v1' },
  { op: 'BPF_JGE', text: '>=', cpu: 'v1' },
  { op: 'BPF_JSET', text: '&', cpu: 'v1' },
  { op: 'BPF_JNE', text: '!=', cpu: 'v1' },
  { op: 'BPF_JSGT', text: 's>', cpu: 'v1' },
  { op: 'BPF_JSGE', text: 's>=', cpu: 'v1' },
  { op: 'BPF_JLT', text: '<', cpu: 'v2' },
  { op: 'BPF_JLE', text: '<=', cpu: 'v2' },
  { op: 'BPF_JSLT', text: 's<', cpu: 'v2' },
  { op: 'BPF_JSLE', text: 's<=', cpu: 'v2' },
];

const conditionalJumps = (): Opcode[] =>
  JMP_CLASSES.flatMap(({ cls, width }) =>
    CONDITIONS.flatMap(({ op, text, cpu }) =>
      OPERANDS.map(({ source, bit, src, imm }) =>
        entry({
          kind: 'jump',
          code: CLASS[cls] | JMP_OP[op] | bit,
          cls,
          op,
          source,
          width,
          text,
          dst: 'read',
          src,
          off: 'jump',
          imm,
          family: 'BPF_JMP/JMP32',
          cpu: cls === 'BPF_JMP32' ? 'v3' : cpu,
        }),
      ),
    ),
  );

const CALL = { cls: 'BPF_JMP', code: 0x85, op: 'BPF_CALL', source: 'K', text: 'call', src: 'selector' } as const;
const CLOBBERS = { alsoReads: ARGS, alsoWrites: R0 | ARGS, family: 'BPF_CALL' } as const;
const JUMP = { cls: 'BPF_JMP', source: 'K' } as const;

const transfers = (): Opcode[] => [
  entry({ ...JUMP, kind: 'ja', code: 0x05, op: 'BPF_JA', text: 'goto', off: 'jump', family: 'BPF_JA' }),
  entry({
    kind: 'gotol',
    cls: 'BPF_JMP32',
    code: 0x06,
    op: 'BPF_JA',
    source: 'K',
    text: 'gotol',
    imm: 'jump',
    family: 'BPF_JA',
    cpu: 'v4',
  }),
  entry({
    ...JUMP,
    kind: 'may_goto',
    code: 0xe5,
    op: 'BPF_JCOND',
    text: 'may_goto',
    src: 'selector',
    selector: select('src', BPF_MAY_GOTO),
    off: 'jump',
    family: 'BPF_JCOND',
    cpu: 'v4',
  }),
  entry({ ...CALL, ...CLOBBERS, kind: 'call_helper', imm: 'helper', selector: select('src', 0) }),
  entry({ ...CALL, ...CLOBBERS, kind: 'call_subprog', imm: 'subprog', selector: select('src', CALL_SRC.BPF_PSEUDO_CALL) }),
  entry({
    ...CALL,
    ...CLOBBERS,
    kind: 'call_kfunc',
    imm: 'btf_id',
    off: 'fd_index',
    selector: select('src', CALL_SRC.BPF_PSEUDO_KFUNC_CALL),
  }),
  entry({
    ...CLOBBERS,
    kind: 'callx',
    cls: 'BPF_JMP',
    code: 0x8d,
    op: 'BPF_CALL',
    source: 'X',
    text: 'callx',
    dst: 'read',
    origin: 'offline',
  }),
  entry({ ...JUMP, kind: 'exit', code: 0x95, op: 'BPF_EXIT', text: 'exit', alsoReads: R0, unchecked: 'off', family: 'BPF_EXIT' }),
];

/** Every instruction there is, one entry per code byte and variant. */
export const OPCODES: readonly Opcode[] = [
  ...binaryAlu(),
  ...moves(),
  ...negations(),
  ...byteOrders(),
  ...loadsAndStores(),
  ...atomics(),
  ...packetLoads(),
  ...wideImmediates(),
  ...conditionalJumps(),
  ...transfers(),
];

const VARIANTS: readonly (readonly Opcode[])[] = Array.from({ length: 256 }, (_, code) =>
  OPCODES.filter((opcode) => opcode.code === code),
);

/** All entries that share a code byte; empty when no instruction has it. */
export const variantsOf = (code: number): readonly Opcode[] => VARIANTS[code & 0xff]!;

/** The entry of an instruction, or null when its code byte is unknown or no variant has its selecting field. */
export function opcodeOf(insn: Insn): Opcode | null {
  const variants = VARIANTS[insn.code]!;
  for (let i = 0; i < variants.length; i++) {
    const opcode = variants[i]!;
    const { selector } = opcode;
    if (selector === null || insn[selector.field] === selector.value) return opcode;
  }
  return null;
}

/**
 * True when a user program may contain the code byte at all, in any variant.
 * Source: bpf_opcode_in_insntable, kernel/bpf/core.c.
 */
export const isKnownCode = (code: number): boolean => VARIANTS[code & 0xff]!.some((opcode) => opcode.origin !== 'offline');

export const isLdImm64 = (insn: Insn): boolean => insn.code === 0x18;
