import type { Btf } from '../btf/btf.ts';
import { ATTACH_TYPES } from '../contracts/attach_types.ts';
import type { Profile } from '../contracts/profile.ts';
import type { ProgType, SectionRule } from '../contracts/prog_type.ts';
import { PROG_TYPES } from '../contracts/uapi_numbers.ts';
import { type AttachTarget, PROG_FLAGS } from '../program/program.ts';

/** What the name of a section says of its programs. */
export interface SectionKind {
  readonly type: number;
  readonly expectedAttachType: number;
  readonly hasAttachType: boolean;
  readonly flags: number;
  readonly attach: AttachTarget | null;
  /** why libbpf would not load the program; null where it would */
  readonly error: string | null;
}

/** Source: sec_def_matches, tools/lib/bpf/libbpf.c; exact names come before names with a part behind the slash. */
const findRule = (progTypes: Profile['progTypes'], section: string): { type: ProgType; rule: SectionRule } | null => {
  let open: { type: ProgType; rule: SectionRule } | null = null;
  for (const type of progTypes.values()) {
    for (const rule of type.sections) {
      if (rule.section === section) return { type, rule };
      if (rule.extras && section.startsWith(`${rule.section}/`)) open ??= { type, rule };
    }
  }
  return open;
};

/** Where a target stands in the kernel's BTF. Source: btf_get_kernel_prefix_kind, tools/lib/bpf/libbpf.c. */
export const findTarget = (kernel: Btf, target: string, attachType: number): AttachTarget | null => {
  const name = target.replace(/^v(?:m(?:l(?:i(?:n(?:u(?:x)?)?)?)?)?)?:/, '');
  if (attachType === ATTACH_TYPES.BPF_TRACE_RAW_TP) {
    const found = kernel.findByName(`btf_trace_${name}`, 'TYPEDEF');
    return found === undefined ? null : { name, btfId: found.id, program: null };
  }
  const isLsm = attachType === ATTACH_TYPES.BPF_LSM_MAC || attachType === ATTACH_TYPES.BPF_LSM_CGROUP;
  const prefix = isLsm ? 'bpf_lsm_' : attachType === ATTACH_TYPES.BPF_TRACE_ITER ? 'bpf_iter_' : '';
  const found = kernel.findByName(prefix + name, 'FUNC');
  return found === undefined ? null : { name: found.name, btfId: found.id, program: null };
};

const flagsOf = (type: ProgType, rule: SectionRule): number =>
  (rule.flags.includes('SEC_SLEEPABLE') ? PROG_FLAGS.BPF_F_SLEEPABLE : 0) |
  (type.id === PROG_TYPES.xdp && rule.flags.includes('SEC_XDP_FRAGS') ? PROG_FLAGS.BPF_F_XDP_HAS_FRAGS : 0);

/** Type, attach type, flags and target that a section name stands for; null where no program type has such a section. */
export function sectionKind(progTypes: Profile['progTypes'], kernel: Btf | null, section: string): SectionKind | null {
  const name = section.replace(/^\?/, '');
  const found = findRule(progTypes, name);
  if (found === null) return null;
  const { type, rule } = found;
  const isUsdt = rule.flags.includes('SEC_USDT');
  const kind: SectionKind = {
    type: type.id,
    expectedAttachType: isUsdt ? ATTACH_TYPES.BPF_TRACE_UPROBE_MULTI : rule.attachTypeValue,
    hasAttachType: rule.attachType !== null || isUsdt,
    flags: flagsOf(type, rule),
    attach: null,
    error: null,
  };
  if (!rule.flags.includes('SEC_ATTACH_BTF') || type.id === PROG_TYPES.struct_ops) return kind;
  const slash = name.indexOf('/');
  if (slash === -1 || type.id === PROG_TYPES.ext) {
    return { ...kind, error: 'no BTF-based attach target is specified, use bpf_program__set_attach_target()' };
  }
  const target = name.slice(slash + 1);
  const attach = kernel === null ? null : findTarget(kernel, target, kind.expectedAttachType);
  return { ...kind, attach, error: attach === null ? `failed to find kernel BTF type ID of '${target}'` : null };
}
