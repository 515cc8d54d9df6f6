import type { Btf } from '../btf/btf.ts';
import { ATTACH_TYPES } from '../contracts/attach_types.ts';
import { PROG_TYPES } from '../contracts/uapi_numbers.ts';
import type { AttachTarget, ObjectImage, Program } from '../program/program.ts';
import { PROG_FLAGS } from '../program/program.ts';
import type { ObjectFunction } from './functions.ts';
import type { SectionMeaning } from './sections.ts';
import type { StructOpsMember } from './struct_ops.ts';

/** A program of another object (or of the same one) to which a program attaches: `--target OBJECT:FUNC`. */
export interface TargetProgram {
  readonly image: ObjectImage;
  readonly func: string;
}

/** What BPF_PROG_LOAD is told about a program beside its instructions. */
export interface ProgramKind {
  readonly type: number;
  readonly expectedAttachType: number;
  readonly hasAttachType: boolean;
  readonly attach: AttachTarget | null;
  readonly flags: number;
  readonly error: string | null;
}

/** Longest name that is looked up in the kernel's BTF. Source: BTF_MAX_NAME_SIZE. */
const NAME_LIMIT = 128;

/** Prefix and kind of a target in the kernel's BTF. Source: btf_get_kernel_prefix_kind. */
function btfPlace(attachType: number): { readonly prefix: string; readonly kind: 'FUNC' | 'TYPEDEF' } {
  switch (attachType) {
    case ATTACH_TYPES.BPF_TRACE_RAW_TP:
      return { prefix: 'btf_trace_', kind: 'TYPEDEF' };
    case ATTACH_TYPES.BPF_LSM_MAC:
    case ATTACH_TYPES.BPF_LSM_CGROUP:
      return { prefix: 'bpf_lsm_', kind: 'FUNC' };
    case ATTACH_TYPES.BPF_TRACE_ITER:
      return { prefix: 'bpf_iter_', kind: 'FUNC' };
    default:
      return { prefix: '', kind: 'FUNC' };
  }
}

/**
 * The kernel's function or tracepoint of a name such as `sched_switch` or `vmlinux:do_exit`. A raw tracepoint keeps its plain
 * name, everything else the name it has in BTF (`bpf_lsm_file_open`), as attach_func_name has them. Source: find_kernel_btf_id.
 */
function kernelTarget(kernel: Btf, target: string, attachType: number): AttachTarget | null {
  const colon = target.indexOf(':');
  const name = colon !== -1 && 'vmlinux'.startsWith(target.slice(0, colon)) ? target.slice(colon + 1) : target;
  const { prefix, kind } = btfPlace(attachType);
  if (prefix.length + name.length >= NAME_LIMIT) return null;
  const found = kernel.findByName(prefix + name, kind);
  if (found === undefined) return null;
  return { name: kind === 'TYPEDEF' ? name : found.name, btfId: found.id, program: null };
}

/** The program of an image that contains a function. Source: libbpf_find_prog_btf_id. */
function programTarget({ image, func }: TargetProgram): AttachTarget | null {
  const found = image.btf?.findByName(func, 'FUNC');
  if (found === undefined) return null;
  const contains = (program: Program): boolean => program.funcInfo.some((info) => info.typeId === found.id);
  const program = image.programs.find(contains) ?? image.programs.find((candidate) => candidate.name === func);
  return program === undefined ? null : { name: func, btfId: found.id, program };
}

/**
 * Type, attach type, target and flags of a program, from the name of its section.
 * Source: bpf_object_init_progs, libbpf_prepare_prog_load, bpf_object_load_prog.
 */
export function programKind(
  fn: ObjectFunction,
  section: string,
  meaning: SectionMeaning | null,
  kernel: Btf,
  structOps: StructOpsMember | string | null,
  target: TargetProgram | null,
): ProgramKind {
  const fail = (message: string): string => `prog '${fn.name}': ${message}`;
  if (meaning === null) {
    const error = fail(`missing BPF prog type, check ELF section name '${section}'`);
    return { type: 0, expectedAttachType: 0, hasAttachType: false, attach: null, flags: 0, error };
  }
  const { type, rule } = meaning;
  const isUsdt = rule.flags.includes('SEC_USDT');
  const kind = {
    type: type.id,
    expectedAttachType: isUsdt ? ATTACH_TYPES.BPF_TRACE_UPROBE_MULTI : rule.attachTypeValue,
    hasAttachType: rule.attachType !== null || isUsdt,
    attach: null,
    flags:
      (rule.flags.includes('SEC_SLEEPABLE') ? PROG_FLAGS.BPF_F_SLEEPABLE : 0) |
      (type.id === PROG_TYPES.xdp && rule.flags.includes('SEC_XDP_FRAGS') ? PROG_FLAGS.BPF_F_XDP_HAS_FRAGS : 0),
    error: null,
  };
  if (type.id === PROG_TYPES.struct_ops) {
    if (structOps === null)
      return { ...kind, error: fail('SEC("struct_ops") program isn\'t referenced anywhere, did you forget to use it?') };
    if (typeof structOps === 'string') return { ...kind, error: structOps };
    const attach = { name: structOps.typeName, btfId: structOps.typeId, program: null };
    return { ...kind, expectedAttachType: structOps.member, hasAttachType: true, attach };
  }
  if (!rule.flags.includes('SEC_ATTACH_BTF')) return kind;

  const slash = section.indexOf('/');
  if (type.id === PROG_TYPES.ext || (slash === -1 && target !== null)) {
    if (slash === -1 && target === null) return { ...kind, error: fail(NO_TARGET) };
    if (target === null) return { ...kind, error: fail('attach program FD is not set') };
    const attach = programTarget(target);
    if (attach === null) return { ...kind, error: fail(`failed to find BPF program BTF ID for '${target.func}'`) };
    return { ...kind, attach };
  }
  if (slash === -1) return { ...kind, error: fail(NO_TARGET) };
  const name = section.slice(slash + 1);
  const attach = kernelTarget(kernel, name, kind.expectedAttachType);
  if (attach === null) return { ...kind, error: fail(`failed to find kernel BTF type ID of '${name}'`) };
  return { ...kind, attach };
}

const NO_TARGET = 'no BTF-based attach target is specified, use bpf_program__set_attach_target()';
