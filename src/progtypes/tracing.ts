/** Program types of tracing. Source: kernel/trace/bpf_trace.c, check_return_code() and can_be_sleepable() of verifier.c. */
import { ATTACH_TYPES } from '../contracts/attach_types.ts';
import type { ContextAnswer, ContextArgRule, ContextQuery } from '../contracts/prog_type.ts';
import type { Subject } from '../contracts/subject.ts';
import { type Access, ANY_SIZE, contextTable, narrow, SCALAR, whole } from './context_table.ts';
import { attachTypes, newerSection, progType, section, ZERO_OR_ONE } from './define.ts';

const PERFMON = { needs: ['perfmon'] } as const;
const SCALAR_ANSWER: ContextAnswer = { reg: SCALAR, fieldSize: 0 };

const PT_REGS_NAMES = [
  ['r15', 'r14', 'r13', 'r12', 'bp', 'bx', 'r11', 'r10', 'r9', 'r8', 'ax', 'cx', 'dx', 'si', 'di', 'orig_ax', 'ip', 'cs'],
  ['flags', 'sp', 'ss'],
].flat();
/** struct pt_regs of x86-64, in bytes */
const PT_REGS_SIZE = 168;

/** kprobe_prog_is_valid_access: any aligned read inside the registers. */
const PT_REGS = contextTable(
  PT_REGS_SIZE,
  PT_REGS_NAMES.map((name, index) => ({ name, off: 8 * index, size: 8, read: ANY_SIZE })),
);

const KPROBE_SESSIONS = attachTypes('BPF_TRACE_KPROBE_SESSION', 'BPF_TRACE_UPROBE_SESSION');

export const kprobe = progType({
  ...PERFMON,
  id: 2,
  name: 'kprobe',
  sections: [
    section('kprobe+'),
    section('uprobe+'),
    section('uprobe.s+', 0, 'SEC_SLEEPABLE'),
    section('kretprobe+'),
    section('uretprobe+'),
    section('uretprobe.s+', 0, 'SEC_SLEEPABLE'),
    section('kprobe.multi+', 'BPF_TRACE_KPROBE_MULTI'),
    section('kretprobe.multi+', 'BPF_TRACE_KPROBE_MULTI'),
    section('kprobe.session+', 'BPF_TRACE_KPROBE_SESSION'),
    section('uprobe.multi+', 'BPF_TRACE_UPROBE_MULTI'),
    section('uretprobe.multi+', 'BPF_TRACE_UPROBE_MULTI'),
    section('uprobe.session+', 'BPF_TRACE_UPROBE_SESSION'),
    section('uprobe.multi.s+', 'BPF_TRACE_UPROBE_MULTI', 'SEC_SLEEPABLE'),
    section('uretprobe.multi.s+', 'BPF_TRACE_UPROBE_MULTI', 'SEC_SLEEPABLE'),
    section('uprobe.session.s+', 'BPF_TRACE_UPROBE_SESSION', 'SEC_SLEEPABLE'),
    section('ksyscall+'),
    section('kretsyscall+'),
    section('usdt+', 0, 'SEC_USDT'),
    section('usdt.s+', 0, 'SEC_USDT', 'SEC_SLEEPABLE'),
  ],
  contextStruct: 'pt_regs',
  kernelContextStruct: 'pt_regs',
  context: PT_REGS,
  contextArg: () => ({ typedefs: ['bpf_user_pt_regs_t'], structs: ['pt_regs'] }),
  returnRange: (subject) => (KPROBE_SESSIONS.includes(subject.attachType) ? ZERO_OR_ONE : null),
  sleepableOk: () => true,
  privateStack: () => true,
  ops: 'kprobe_verifier_ops',
  summary: 'runs at a probed instruction of the kernel or of a process, with the registers',
});

/** PERF_MAX_TRACE_SIZE, include/linux/trace_events.h */
const TRACEPOINT_BUFFER = 8192;

/**
 * tp_prog_is_valid_access: the first 8 bytes, a pointer of the kernel's, are hidden. The kernel compares the lower bound
 * unsigned and the upper one signed, so that every offset below 0 passes.
 */
const tracepointAccess: Access = (query) =>
  (query.off >= 0 && query.off < 8) || query.off >= TRACEPOINT_BUFFER || query.write || query.off % query.size !== 0
    ? null
    : SCALAR_ANSWER;

export const tracepoint = progType({
  ...PERFMON,
  id: 5,
  name: 'tracepoint',
  sections: [
    section('tracepoint+'),
    section('tp+'),
    newerSection('1.8', 'tracepoint.s+', null, 'SEC_SLEEPABLE'),
    newerSection('1.8', 'tp.s+', null, 'SEC_SLEEPABLE'),
  ],
  contextKind: 'buffer',
  contextStruct: null,
  kernelContextStruct: 'u64',
  contextArg: () => ({ anything: true }),
  access: tracepointAccess,
  privateStack: () => true,
  ops: 'tracepoint_verifier_ops',
  summary: 'runs at a tracepoint with the record that perf would write',
});

/** pe_prog_is_valid_access. */
const PERF_EVENT_DATA = contextTable(184, [
  { name: 'regs', off: 0, size: PT_REGS_SIZE, read: whole(8) },
  { name: 'sample_period', off: 168, size: 8, read: narrow(8) },
  { name: 'addr', off: 176, size: 8, read: narrow(8) },
]);

export const perfEvent = progType({
  ...PERFMON,
  id: 7,
  name: 'perf_event',
  sections: [section('perf_event')],
  contextStruct: 'bpf_perf_event_data',
  kernelContextStruct: 'bpf_perf_event_data_kern',
  context: PERF_EVENT_DATA,
  contextArg: () => ({ typedefs: ['bpf_user_pt_regs_t'], structs: ['pt_regs'] }),
  rewritesContext: true,
  privateStack: () => true,
  ops: 'perf_event_verifier_ops',
  summary: 'runs when a perf event fires, with the registers and the sample period',
});

/** MAX_BPF_FUNC_ARGS, include/linux/bpf.h */
const MAX_ARGS = 12;

/** bpf_tracing_ctx_access, include/linux/bpf.h: any aligned read inside twelve 8-byte slots. */
function readsArgumentSlot(query: ContextQuery): boolean {
  return query.off >= 0 && query.off < 8 * MAX_ARGS && !query.write && query.off % query.size === 0;
}

/** What holds for every program whose context is a row of argument slots. */
export const slotAccess: Access = (query) => (readsArgumentSlot(query) ? SCALAR_ANSWER : null);

const TP_BUFFER_ANSWER: ContextAnswer = { reg: { base: 'PTR_TO_TP_BUFFER' }, fieldSize: 0 };

/** raw_tp_writable_prog_is_valid_access: slot 0 is the writable buffer. */
const writableSlotAccess: Access = (query) => {
  if (query.off !== 0) return readsArgumentSlot(query) ? SCALAR_ANSWER : null;
  return query.size === 8 && !query.write ? TP_BUFFER_ANSWER : null;
};

export const rawTracepoint = progType({
  ...PERFMON,
  id: 17,
  name: 'raw_tracepoint',
  sections: [
    section('raw_tracepoint+'),
    section('raw_tp+'),
    newerSection('1.8', 'raw_tracepoint.s+', null, 'SEC_SLEEPABLE'),
    newerSection('1.8', 'raw_tp.s+', null, 'SEC_SLEEPABLE'),
  ],
  contextKind: 'slots',
  contextStruct: 'bpf_raw_tracepoint_args',
  kernelContextStruct: 'u64',
  contextArg: () => ({ u64: true }),
  access: slotAccess,
  privateStack: () => true,
  ops: 'raw_tracepoint_verifier_ops',
  summary: 'runs at a tracepoint with its raw arguments',
});

export const rawTracepointWritable = progType({
  ...PERFMON,
  id: 24,
  name: 'raw_tracepoint_writable',
  sections: [section('raw_tracepoint.w+'), section('raw_tp.w+')],
  contextKind: 'slots',
  contextStruct: 'bpf_raw_tracepoint_args',
  kernelContextStruct: 'u64',
  contextArg: () => ({ u64: true }),
  access: writableSlotAccess,
  ops: 'raw_tracepoint_writable_verifier_ops',
  summary: 'runs at a writable tracepoint and may change the buffer that is its first argument',
});

function tracingContextArg(attachType: number): ContextArgRule {
  switch (attachType) {
    case ATTACH_TYPES.BPF_TRACE_RAW_TP:
      return { structs: ['bpf_raw_tracepoint_args'], u64: true };
    case ATTACH_TYPES.BPF_TRACE_ITER:
      return { structPrefix: 'bpf_iter__' };
    case ATTACH_TYPES.BPF_TRACE_FENTRY:
    case ATTACH_TYPES.BPF_TRACE_FEXIT:
    case ATTACH_TYPES.BPF_MODIFY_RETURN:
      return { u64: true };
    default:
      return {};
  }
}

const ALWAYS_ZERO = { min: 0, max: 0 } as const;

function tracingReturns(subject: Subject) {
  switch (subject.attachType) {
    case ATTACH_TYPES.BPF_TRACE_FENTRY:
    case ATTACH_TYPES.BPF_TRACE_FEXIT:
      return ALWAYS_ZERO;
    case ATTACH_TYPES.BPF_TRACE_RAW_TP:
    case ATTACH_TYPES.BPF_MODIFY_RETURN:
      return null;
    case ATTACH_TYPES.BPF_TRACE_ITER:
      return ZERO_OR_ONE;
    default:
      return 'unsupported';
  }
}

const SLEEPABLE_TRACING = attachTypes('BPF_TRACE_FENTRY', 'BPF_TRACE_FEXIT', 'BPF_MODIFY_RETURN', 'BPF_TRACE_ITER');

/** Attach types of trampolines on functions that came after Linux 6.18. */
const FSESSION = { name: 'BPF_TRACE_FSESSION', value: 58 } as const;
const FENTRY_MULTI = { name: 'BPF_TRACE_FENTRY_MULTI', value: 59 } as const;
const FEXIT_MULTI = { name: 'BPF_TRACE_FEXIT_MULTI', value: 60 } as const;
const FSESSION_MULTI = { name: 'BPF_TRACE_FSESSION_MULTI', value: 61 } as const;
const RAW_TP = { name: 'BPF_TRACE_RAW_TP', value: ATTACH_TYPES.BPF_TRACE_RAW_TP } as const;

export const tracing = progType({
  ...PERFMON,
  id: 26,
  name: 'tracing',
  sections: [
    section('tp_btf+', 'BPF_TRACE_RAW_TP', 'SEC_ATTACH_BTF'),
    section('fentry+', 'BPF_TRACE_FENTRY', 'SEC_ATTACH_BTF'),
    section('fmod_ret+', 'BPF_MODIFY_RETURN', 'SEC_ATTACH_BTF'),
    section('fexit+', 'BPF_TRACE_FEXIT', 'SEC_ATTACH_BTF'),
    section('fentry.s+', 'BPF_TRACE_FENTRY', 'SEC_ATTACH_BTF', 'SEC_SLEEPABLE'),
    section('fmod_ret.s+', 'BPF_MODIFY_RETURN', 'SEC_ATTACH_BTF', 'SEC_SLEEPABLE'),
    section('fexit.s+', 'BPF_TRACE_FEXIT', 'SEC_ATTACH_BTF', 'SEC_SLEEPABLE'),
    section('iter+', 'BPF_TRACE_ITER', 'SEC_ATTACH_BTF'),
    section('iter.s+', 'BPF_TRACE_ITER', 'SEC_ATTACH_BTF', 'SEC_SLEEPABLE'),
    newerSection('1.8', 'tp_btf.s+', RAW_TP, 'SEC_ATTACH_BTF', 'SEC_SLEEPABLE'),
    newerSection('1.7', 'fsession+', FSESSION, 'SEC_ATTACH_BTF'),
    newerSection('1.7', 'fsession.s+', FSESSION, 'SEC_ATTACH_BTF', 'SEC_SLEEPABLE'),
    newerSection('1.8', 'fsession.multi+', FSESSION_MULTI),
    newerSection('1.8', 'fsession.multi.s+', FSESSION_MULTI, 'SEC_SLEEPABLE'),
    newerSection('1.8', 'fentry.multi+', FENTRY_MULTI),
    newerSection('1.8', 'fexit.multi+', FEXIT_MULTI),
    newerSection('1.8', 'fentry.multi.s+', FENTRY_MULTI, 'SEC_SLEEPABLE'),
    newerSection('1.8', 'fexit.multi.s+', FEXIT_MULTI, 'SEC_SLEEPABLE'),
  ],
  contextKind: 'btf-args',
  contextStruct: null,
  kernelContextStruct: null,
  contextArg: tracingContextArg,
  access: slotAccess,
  returnRange: tracingReturns,
  takesBtfTarget: true,
  sleepableOk: (subject) => SLEEPABLE_TRACING.includes(subject.attachType),
  privateStack: (subject) => subject.attachType !== ATTACH_TYPES.BPF_TRACE_ITER,
  trustedArgs: (subject) =>
    subject.attachType === ATTACH_TYPES.BPF_TRACE_RAW_TP || subject.attachType === ATTACH_TYPES.BPF_TRACE_ITER,
  ops: 'tracing_verifier_ops',
  summary: 'runs at a kernel function, at a tracepoint with typed arguments, or for each object of an iterator',
});
