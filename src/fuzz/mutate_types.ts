import { Btf } from '../btf/btf.ts';
import { BtfBuilder } from '../btf/builder.ts';
import { checkBtf } from '../btf/check/check.ts';
import { BtfError } from '../btf/error.ts';
import type { Param } from '../btf/types.ts';
import type { FuncInfo, LineInfo, Program } from '../program/program.ts';
import { instructionStarts, targetOf } from './edit.ts';
import type { FuzzKernel } from './generate/kernel.ts';
import type { Random } from './random.ts';

/** Changes of what the types and records of a program say of its functions and lines. */

/** Slots at which functions begin: what calls and function addresses lead to. */
const functionStarts = ({ insns }: Program): number[] => {
  const starts = new Set([0]);
  for (const at of instructionStarts(insns)) {
    const insn = insns[at]!;
    const isCall = insn.code === 0x85 && insn.src === 1;
    const isAddress = insn.code === 0x18 && insn.src === 4;
    const target = isCall || isAddress ? targetOf(insns, at) : null;
    if (target !== null && target > 0 && target < insns.length) starts.add(target);
  }
  return [...starts].sort((a, b) => a - b);
};

const builderOf = (btf: Btf | null): BtfBuilder => (btf === null ? new BtfBuilder() : BtfBuilder.from(btf));

/** What was built, where the kernel takes it: a program goes without BTF that is refused (bpf_object__sanitize_and_load_btf). */
const loadable = (builder: BtfBuilder, { profile }: FuzzKernel): Btf | null => {
  const bytes = builder.encode();
  try {
    checkBtf(bytes, { btf: profile.btf, destructors: profile.facts.destructors });
  } catch (error) {
    if (error instanceof BtfError) return null;
    throw error;
  }
  return Btf.parse(bytes);
};

/** An object has one BTF: that of its maps is the same, in which their types keep their ids. */
const overBtf = (program: Program, btf: Btf): Program => ({
  ...program,
  btf,
  maps: program.maps.map((map) => (map.btf === null ? map : { ...map, btf })),
});

const withBtf = (program: Program, builder: BtfBuilder, kernel: FuzzKernel): Program => {
  const btf = loadable(builder, kernel);
  return btf === null ? program : overBtf(program, btf);
};

/** The program with records that describe every function, as a compiler writes them. */
export const described = (program: Program, { profile }: FuzzKernel): Program => {
  if (program.btf !== null && program.funcInfo.length > 0) return program;
  const builder = builderOf(program.btf);
  const word = builder.int('long', 8);
  const context = profile.progTypes.get(program.type)?.contextStruct ?? null;
  const main = builder.ptr(context === null ? 0 : builder.struct(context, 8, [{ name: 'first', type: word, bitOffset: 0 }]));
  const rows: FuncInfo[] = functionStarts(program).map((insn, i) => {
    const params: Param[] = i === 0 ? [{ name: 'ctx', type: main }] : [];
    if (i > 0) for (let at = 0; at < 2; at++) params.push({ name: `a${at}`, type: word });
    const name = i === 0 ? program.name : `g${i}`;
    return { insn, typeId: builder.func(name, builder.funcProto(builder.int('int', 4), params), i === 0 ? 'global' : 'static') };
  });
  return { ...overBtf(program, builder.build()), funcInfo: rows };
};

const STRUCTS = [
  'task_struct',
  'sk_buff',
  '__sk_buff',
  'xdp_md',
  'bpf_dynptr',
  'file',
  'nothing_of_the_kernel',
  'pt_regs',
] as const;

/** A type of the kind that parameters and results have; mostly a sensible one. */
const anyType = (random: Random, builder: BtfBuilder): number => {
  switch (random.below(12)) {
    case 0:
      return builder.int('int', 4);
    case 1:
      return builder.int('long', 8);
    case 2:
      return builder.share({ kind: 'ENUM', name: 'choice', size: 4, signed: false, values: [{ name: 'CHOSEN', value: 1 }] });
    case 3:
      return random.chance(0.5)
        ? builder.share({ kind: 'FLOAT', name: 'double', size: 8 })
        : builder.array(builder.int('int', 4), 3);
    case 4:
      return builder.struct(random.chance(0.5) ? 'pair' : 'wide', random.pick([8, 16, 24]), [
        { name: 'first', type: builder.int('long', 8), bitOffset: 0 },
      ]);
    case 5:
      return builder.ptr(random.pick([0, builder.const(0), builder.int('int', 4), builder.int('char', 1)]));
    case 6:
      return builder.ptr(builder.ptr(builder.int('int', 4)));
    case 7:
      return builder.ptr(builder.funcProto(0, []));
    case 8:
      return builder.typedef('renamed', anyType(random, builder));
    case 9:
      return builder.ptr(builder.fwd(random.pick(STRUCTS)));
    case 10:
      return builder.ptr(
        builder.share({ kind: 'ENUM', name: 'choice', size: 4, signed: false, values: [{ name: 'CHOSEN', value: 1 }] }),
      );
    default:
      return builder.ptr(
        builder.struct(random.pick(STRUCTS), 8, [{ name: 'first', type: builder.int('long', 8), bitOffset: 0 }]),
      );
  }
};

const anyResult = (random: Random, builder: BtfBuilder): number =>
  random.chance(0.6) ? builder.int('int', 4) : random.chance(0.3) ? 0 : anyType(random, builder);

const TAGS = ['arg:ctx', 'arg:nonnull', 'arg:nullable', 'arg:trusted', 'arg:untrusted', 'arg:arena', 'arg:unheard_of'] as const;

/** Another prototype, other linkage or tags for one function: that of row `only`, or any. */
export const reprototype = (random: Random, program: Program, kernel: FuzzKernel, only: number | null = null): Program => {
  const { btf, funcInfo } = program;
  if (btf === null) return program;
  const row = funcInfo[only ?? (random.chance(0.25) ? 0 : random.below(funcInfo.length))];
  const func = row === undefined ? undefined : btf.typeOf(row.typeId, 'FUNC');
  const old = func === undefined ? undefined : btf.typeOf(func.type, 'FUNC_PROTO');
  if (row === undefined || func === undefined || old === undefined) return program;
  const builder = BtfBuilder.from(btf);
  const params: Param[] = old.params.map(({ name, type }) => ({ name, type }));
  const times = random.between(1, 2);
  for (let i = 0; i < times; i++) {
    const at = random.below(params.length + 1);
    if (random.chance(0.12)) params.splice(at, 1);
    else if (random.chance(0.06))
      params.push(...Array.from({ length: 5 }, (_, n) => ({ name: `m${n}`, type: builder.int('int', 4) })));
    else if (at === params.length && params.length > 0 && random.chance(0.2)) params.push({ name: '', type: 0 });
    else params[at] = { name: `p${at}`, type: anyType(random, builder) };
  }
  const ret = random.chance(0.25) ? anyResult(random, builder) : old.ret;
  const linkage = random.chance(0.65) ? 'global' : random.pick(['static', 'global', 'extern'] as const);
  builder.replace(func.id, { kind: 'FUNC', name: func.name, type: builder.funcProto(ret, params), linkage });
  for (let tags = random.pick([0, 0, 1, 1, 2]); tags > 0; tags--) {
    const at = random.chance(0.6) ? pointerAmong(random, builder, params) : random.below(Math.max(1, params.length));
    if (at < params.length) builder.declTag(random.pick(TAGS), func.id, at);
  }
  return withBtf(program, builder, kernel);
};

const pointerAmong = (random: Random, builder: BtfBuilder, params: readonly Param[]): number => {
  const btf = builder.build();
  const pointers = params.flatMap(({ type }, i) => (btf.skipModifiers(type).kind === 'PTR' ? [i] : []));
  return pointers.length === 0 ? 0 : random.pick(pointers);
};

/** A tag that names the function that is to catch exceptions: one of the program, an unknown one, or two of them. */
const nameCatcher = (random: Random, program: Program, kernel: FuzzKernel): Program => {
  const { btf, funcInfo } = program;
  const main = funcInfo[0];
  if (btf === null || main === undefined) return program;
  const builder = BtfBuilder.from(btf);
  const nameOf = (typeId: number): string => btf.typeOf(typeId, 'FUNC')?.name ?? 'nobody';
  const times = random.chance(0.15) ? 2 : 1;
  for (let i = 0; i < times; i++) {
    const { typeId } = random.chance(0.8) ? (funcInfo.at(-1) ?? main) : random.pick(funcInfo);
    if (random.chance(0.12)) builder.func('aside', builder.funcProto(builder.int('int', 4), []), 'global');
    const name = random.chance(0.1) ? 'nobody' : random.chance(0.15) ? 'aside' : nameOf(typeId);
    const func = btf.typeOf(typeId, 'FUNC');
    if (func !== undefined && func.id !== main.typeId && random.chance(0.75)) {
      const params = random.chance(0.8) ? [{ name: 'cookie', type: builder.int('long', 8) }] : [];
      const proto = builder.funcProto(builder.int('int', 4), params);
      builder.replace(func.id, {
        kind: 'FUNC',
        name: func.name,
        type: proto,
        linkage: random.chance(0.85) ? 'global' : 'static',
      });
    }
    builder.declTag(`exception_callback:${name}`, main.typeId);
  }
  return withBtf(program, builder, kernel);
};

/** The program with a row for the first line of every function, and for some lines in between. */
const withLines = (random: Random, program: Program, kernel: FuzzKernel): Program => {
  const builder = builderOf(program.btf);
  builder.int('int', 4);
  const fileOff = builder.strings.intern('program.c');
  const lineOff = builder.strings.intern('return value;');
  const starts = new Set(functionStarts(program));
  const lineInfo: LineInfo[] = [];
  for (const insn of instructionStarts(program.insns)) {
    if (!starts.has(insn) && !random.chance(0.3)) continue;
    lineInfo.push({ insn, fileOff, lineOff, lineCol: (lineInfo.length + 1) << 10 });
  }
  return { ...withBtf(program, builder, kernel), lineInfo };
};

const damageLines = (random: Random, program: Program): Program => {
  const rows = program.lineInfo.slice();
  if (rows.length === 0) return program;
  const at = random.chance(0.4) ? 0 : random.below(rows.length);
  const row = rows[at]!;
  const wide = program.insns.findIndex(({ code }, slot) => slot > 0 && code === 0);
  switch (random.below(5)) {
    case 0:
      rows.splice(at, 1);
      break;
    case 1:
      rows[at] = { ...row, insn: Math.max(0, row.insn + random.pick([-1, 1, 2])) };
      break;
    case 2:
      rows[at] = { ...row, ...(random.chance(0.5) ? { lineOff: 1 << 20 } : { fileOff: 1 << 20 }) };
      break;
    case 3:
      rows.length = Math.max(1, random.below(rows.length));
      break;
    default:
      rows[at] = { ...row, insn: wide === -1 ? program.insns.length : wide };
      rows.sort((a, b) => a.insn - b.insn);
  }
  return { ...program, lineInfo: rows };
};

const damageRecords = (random: Random, program: Program): Program => {
  const rows = program.funcInfo.slice();
  const at = random.below(rows.length);
  const row = rows[at];
  if (row === undefined || program.btf === null) return program;
  switch (random.below(4)) {
    case 0:
      rows.splice(at, 1);
      break;
    case 1:
      rows[at] = { ...row, typeId: random.below(program.btf.count) };
      break;
    case 2:
      rows[at] = { ...row, insn: Math.max(0, row.insn + random.pick([-1, 1])) };
      break;
    default:
      return { ...program, funcInfo: [], ...(random.chance(0.5) ? { btf: null, lineInfo: [] } : {}) };
  }
  return { ...program, funcInfo: rows };
};

/** A type of another BTF, as far as functions are compared by it: kind, size, name of a struct. */
const copied = (builder: BtfBuilder, btf: Btf, id: number): number => {
  const type = btf.skipModifiers(id);
  if (type.kind === 'VOID') return 0;
  if (type.kind === 'PTR') {
    const target = btf.skipModifiers(type.type);
    const name = target.name === '' ? 'pair' : target.name;
    if (target.kind === 'FWD') return builder.ptr(builder.fwd(name));
    if (target.kind !== 'STRUCT') return builder.ptr(copied(builder, btf, target.id));
    return builder.ptr(builder.struct(name, 8, [{ name: 'first', type: builder.int('long', 8), bitOffset: 0 }]));
  }
  return builder.int(type.name === '' ? 'long' : type.name, btf.sizeOf(type.id) === 8 ? 8 : 4);
};

/** The program whose main function has the prototype of a function of another program. */
export const withPrototypeOf = (program: Program, target: Program, typeId: number, kernel: FuzzKernel): Program => {
  const other = target.btf?.typeOf(typeId, 'FUNC');
  const proto = other === undefined ? undefined : target.btf?.typeOf(other.type, 'FUNC_PROTO');
  const own = program.btf?.typeOf(program.funcInfo[0]?.typeId ?? 0, 'FUNC');
  if (proto === undefined || own === undefined || program.btf === null || target.btf === null) return program;
  const builder = BtfBuilder.from(program.btf);
  const from = target.btf;
  const params = proto.params.map(({ name, type }) => ({ name, type: copied(builder, from, type) }));
  const type = builder.funcProto(copied(builder, from, proto.ret), params);
  builder.replace(own.id, { kind: 'FUNC', name: own.name, type, linkage: 'global' });
  return withBtf(program, builder, kernel);
};

/** The program with one change of its types, or of its records of functions and lines. */
export function mutateTypes(random: Random, program: Program, kernel: FuzzKernel): Program {
  switch (random.below(8)) {
    case 0:
      return withLines(random, program, kernel);
    case 1:
      return damageLines(random, withLines(random, random.chance(0.5) ? described(program, kernel) : program, kernel));
    case 2:
      return damageRecords(random, described(program, kernel));
    case 3:
      if (program.funcInfo.length < 2) return reprototype(random, described(program, kernel), kernel);
      return nameCatcher(random, described(program, kernel), kernel);
    default:
      return reprototype(random, described(program, kernel), kernel);
  }
}
