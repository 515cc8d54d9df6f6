import { Reject } from '../../contracts/errors.ts';
import type { Profile } from '../../contracts/profile.ts';
import type { ProgType } from '../../contracts/prog_type.ts';
import type { Capabilities } from '../../contracts/subject.ts';
import { PROG_FLAGS, type Program } from '../../program/program.ts';

/** What BPF_PROG_LOAD asks before the verifier runs; its answers have no log. Source: bpf_prog_load, kernel/bpf/syscall.c. */

const BPF_COMPLEXITY_LIMIT_INSNS = 1_000_000;
const BPF_MAXINSNS = 4096;
const KNOWN_FLAGS = Object.values(PROG_FLAGS).reduce((all, flag) => all | flag, 0);

const refuse = (errno: 'EINVAL' | 'EPERM' | 'E2BIG'): never => {
  throw new Reject(errno, '');
};

const CAPABILITY = {
  net_admin: (caps: Capabilities) => caps.netAdmin,
  perfmon: (caps: Capabilities) => caps.perfmon,
  sys_admin: (caps: Capabilities) => caps.sysAdmin,
  bpf: (caps: Capabilities) => caps.bpf,
} as const;

/** The attach type as the kernel takes it: programs without one may get a default (bpf_prog_load_fixup_attach_type). */
export const effectiveAttachType = (progType: ProgType, attachType: number): number =>
  attachType === 0 ? (progType.defaultAttachType ?? 0) : attachType;

export function checkLoadAttributes(
  program: Program,
  progType: ProgType,
  profile: Profile,
  flags: number,
  caps: Capabilities,
): void {
  if ((flags & ~KNOWN_FLAGS) !== 0) refuse('EINVAL');
  const length = program.insns.length;
  if (length === 0 || length > (caps.bpf ? BPF_COMPLEXITY_LIMIT_INSNS : BPF_MAXINSNS)) refuse('E2BIG');
  if (!progType.unprivilegedOk && !caps.bpf) refuse('EPERM');
  for (const need of progType.needs) if (!CAPABILITY[need](caps)) refuse('EPERM');
  const { attach } = program;
  if (attach && attach.btfId !== 0 && !progType.takesBtfTarget) refuse('EINVAL');
  if (!progType.attachTypeOk(effectiveAttachType(progType, program.expectedAttachType))) refuse('EINVAL');
  if (!profile.isBuilt(progType)) refuse('EINVAL');
}
