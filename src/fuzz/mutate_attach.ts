import { isStruct } from '../btf/types.ts';
import { ATTACH_TYPES } from '../contracts/attach_types.ts';
import { PROG_TYPES } from '../contracts/uapi_numbers.ts';
import { type AttachTarget, PROG_FLAGS, type Program } from '../program/program.ts';
import type { FuzzKernel } from './generate/kernel.ts';
import { described, reprototype, withPrototypeOf } from './mutate_types.ts';
import type { Random } from './random.ts';

/** Changes of what a program attaches to: other functions of the kernel, members of its tables, functions of other programs. */

const TRAMPOLINES = [ATTACH_TYPES.BPF_TRACE_FENTRY, ATTACH_TYPES.BPF_TRACE_FEXIT, ATTACH_TYPES.BPF_MODIFY_RETURN] as const;
const OTHER_TARGETS = [ATTACH_TYPES.BPF_TRACE_RAW_TP, ATTACH_TYPES.BPF_TRACE_ITER] as const;

/** What the names of functions that have rules of their own begin with. */
const PREFIXES = [
  'bpf_lsm_',
  'security_',
  '__x64_sys_',
  'bpf_iter_',
  'bpf_fentry_',
  'bpf_modify_',
  'bpf_kfunc',
  '__',
  '',
] as const;

/** Arguments that go in registers. */
const REGISTERS = 6;

const functionsOf = new WeakMap<FuzzKernel, ReadonlyMap<string, readonly number[]>>();

/** Functions of the kernel's BTF by the prefixes above, by odd prototypes, and by the sets that the verifier knows. */
const functionsByPrefix = (kernel: FuzzKernel): ReadonlyMap<string, readonly number[]> => {
  const known = functionsOf.get(kernel);
  if (known !== undefined) return known;
  const { btf, facts } = kernel.profile;
  const found = new Map<string, number[]>([...PREFIXES, 'many', 'variadic', 'by value'].map((name) => [name, []]));
  for (let id = 1; id < btf.count; id++) {
    const func = btf.kindOf(id) === 'FUNC' ? btf.typeOf(id, 'FUNC') : undefined;
    const params = func === undefined ? undefined : btf.typeOf(func.type, 'FUNC_PROTO')?.params;
    if (func === undefined || params === undefined) continue;
    found.get(PREFIXES.find((prefix) => func.name.startsWith(prefix)) ?? '')!.push(id);
    if (params.length > REGISTERS) found.get('many')!.push(id);
    if (params.at(-1)?.type === 0) found.get('variadic')!.push(id);
    if (params.some(({ type }) => isStruct(btf.skipModifiers(type)))) found.get('by value')!.push(id);
  }
  const named = [...facts.denied.values(), facts.disabledLsmHooks, facts.functionsWithoutAddress, facts.errorInjection];
  named.forEach((names, i) => {
    const ids = [...names].map((name) => btf.findByName(name, 'FUNC')?.id).filter((id) => id !== undefined);
    found.set(`set ${i}`, ids);
  });
  functionsOf.set(kernel, found);
  return found;
};

const kernelTarget = (kernel: FuzzKernel, btfId: number): AttachTarget => {
  const { btf } = kernel.profile;
  const name = btf.typeOrUndefined(btfId)?.name ?? '';
  return { name: name === '' ? 'nothing' : name, btfId, program: null };
};

const sleepable = (random: Random, flags: number): number => (random.chance(0.3) ? flags ^ PROG_FLAGS.BPF_F_SLEEPABLE : flags);

/** Section of a program that stands on some function of the kernel. */
export const anyFunctionSection = (random: Random, kernel: FuzzKernel): string => {
  const groups = [...functionsByPrefix(kernel).values()].filter((ids) => ids.length > 0);
  const { name } = kernel.profile.btf.type(random.pick(random.pick(groups)));
  const hook = /^bpf_lsm_(.+)$/.exec(name)?.[1];
  if (hook !== undefined && random.chance(0.9)) return `${random.pick(['lsm', 'lsm.s', 'lsm_cgroup'])}/${hook}`;
  return `${random.pick(['fentry', 'fexit', 'fmod_ret', 'fentry', 'fexit', 'fmod_ret', 'fentry.s', 'fmod_ret.s'])}/${name}`;
};

/** A trampoline or a hook on a function of the kernel, of any kind. */
const onFunction = (random: Random, program: Program, kernel: FuzzKernel): Program => {
  const groups = [...functionsByPrefix(kernel).values()].filter((ids) => ids.length > 0);
  const { btf } = kernel.profile;
  const btfId = random.chance(0.07) ? random.pick([0, btf.count + 5, random.below(btf.count)]) : random.pick(random.pick(groups));
  const attach = kernelTarget(kernel, btfId);
  const isTypedef = random.chance(0.06);
  if (isTypedef) return onTypedef(random, program, kernel);
  const isHook = attach.name.startsWith('bpf_lsm_') && random.chance(0.8);
  const isGroup = isHook && random.chance(0.3);
  const expectedAttachType = isHook
    ? isGroup
      ? ATTACH_TYPES.BPF_LSM_CGROUP
      : ATTACH_TYPES.BPF_LSM_MAC
    : random.chance(0.9)
      ? random.pick(TRAMPOLINES)
      : random.pick(OTHER_TARGETS);
  return {
    ...program,
    section: isHook ? 'lsm' : 'fentry',
    type: isHook ? PROG_TYPES.lsm : PROG_TYPES.tracing,
    expectedAttachType,
    hasAttachType: true,
    attach,
    flags: sleepable(random, program.flags & ~PROG_FLAGS.BPF_F_XDP_HAS_FRAGS),
    license: random.chance(0.08) ? 'Proprietary' : program.license,
  };
};

/** A tracepoint, or another name for some type. */
const onTypedef = (random: Random, program: Program, kernel: FuzzKernel): Program => {
  const { btf } = kernel.profile;
  let btfId = random.below(btf.count);
  for (let tries = 0; tries < 200 && btf.kindOf(btfId) !== 'TYPEDEF'; tries++) btfId = random.below(btf.count);
  return {
    ...program,
    section: 'tp_btf',
    type: PROG_TYPES.tracing,
    expectedAttachType: ATTACH_TYPES.BPF_TRACE_RAW_TP,
    hasAttachType: true,
    attach: kernelTarget(kernel, btfId),
    flags: program.flags & ~(PROG_FLAGS.BPF_F_XDP_HAS_FRAGS | PROG_FLAGS.BPF_F_SLEEPABLE),
  };
};

/** A member of a table of functions, or of something that is none. */
const inTable = (random: Random, program: Program, kernel: FuzzKernel): Program => {
  const { btf, structOps } = kernel.profile;
  const entry = random.pick([...structOps.values()]);
  const struct = btf.findByName(entry.name, 'STRUCT');
  if (struct === undefined) return program;
  const wrong = random.chance(0.1);
  const attach: AttachTarget = wrong
    ? kernelTarget(kernel, random.pick([btf.findByName('task_struct', 'STRUCT')?.id ?? 1, 1, btf.count + 3]))
    : { name: entry.name, btfId: struct.id, program: null };
  const index = random.chance(0.5)
    ? struct.members.findIndex(({ name }) => name === random.pick(entry.members))
    : random.below(struct.members.length + 2);
  return {
    ...program,
    section: 'struct_ops',
    type: PROG_TYPES.struct_ops,
    expectedAttachType: Math.max(0, index),
    hasAttachType: false,
    attach,
    flags: sleepable(random, program.flags & ~PROG_FLAGS.BPF_F_XDP_HAS_FRAGS),
    license: random.chance(0.1) ? 'Proprietary' : program.license,
  };
};

/** A replacement of a function of another program, or a trampoline on it; sometimes that one stands on a third. */
const onProgram = (random: Random, program: Program, kernel: FuzzKernel, another: () => Program): Program => {
  const known = (one: Program): Program => (random.chance(0.93) ? described(one, kernel) : one);
  const other = another();
  const base = random.chance(0.3) ? attached(random, other, known(another()), kernel) : other;
  return attached(random, program, known(base), kernel);
};

const attached = (random: Random, program: Program, target: Program, kernel: FuzzKernel): Program => {
  const isReplacement = random.chance(0.6);
  const rows = target.funcInfo.filter(({ typeId: id }) => target.btf?.typeOf(id, 'FUNC')?.linkage === 'global');
  const open = rows.length > 0 && random.chance(0.85) ? rows : target.funcInfo;
  const row = random.pick(open.length === 0 ? [undefined] : open);
  const typeId = random.chance(0.06) ? 1 : (row?.typeId ?? 1);
  const name = target.btf?.typeOrUndefined(typeId)?.name ?? '';
  const attach: AttachTarget = { name: name === '' ? 'main' : name, btfId: typeId, program: target };
  const alike = random.chance(0.93) ? withPrototypeOf(described(program, kernel), target, typeId, kernel) : program;
  const own = random.chance(0.4) ? reprototype(random, alike, kernel, 0) : alike;
  const flags = own.flags & ~PROG_FLAGS.BPF_F_XDP_HAS_FRAGS;
  const clean = { ...own, attach, flags: random.chance(0.85) ? flags & ~PROG_FLAGS.BPF_F_SLEEPABLE : flags };
  if (isReplacement) {
    return { ...clean, section: 'freplace', type: PROG_TYPES.ext, expectedAttachType: 0, hasAttachType: false };
  }
  const expectedAttachType = random.chance(0.9) ? random.pick(TRAMPOLINES) : random.pick(OTHER_TARGETS);
  return { ...clean, section: 'fentry', type: PROG_TYPES.tracing, expectedAttachType, hasAttachType: true };
};

/** The program attached to something else; `another` gives programs that it may be attached to. */
export function mutateAttach(random: Random, program: Program, kernel: FuzzKernel, another: () => Program): Program {
  switch (random.below(5)) {
    case 0:
    case 1:
      return onFunction(random, program, kernel);
    case 2:
      return inTable(random, program, kernel);
    default:
      return onProgram(random, program, kernel, another);
  }
}
