import type { Helper } from '../contracts/helper.ts';
import { mayUseDPath } from './allowed.ts';
import { BTF_TRACING_TYPES, ON_TRAMPOLINE, TRACING_TYPES, to } from './availability.ts';
import { dPath } from './run/d_path.ts';
import { getAttachCookie, getFuncArg, getFuncArgCnt, getFuncIp, getFuncRet } from './run/tracing.ts';
import { anything, context, fixed, INTEGER, memory, object, proto, protos, sizeOrZero } from './spec.ts';

/** The traced function. */
export const tracingHelpers: readonly Helper[] = [
  {
    id: 58,
    name: 'bpf_override_return',
    summary: 'Makes the probed function return a value without running.',
    protos: [proto('bpf_override_return_proto', [context('regs'), anything('rc')], INTEGER, { gplOnly: true })],
    available: [to(['kprobe'], 'bpf_override_return_proto', { config: 'CONFIG_BPF_KPROBE_OVERRIDE' })],
  },
  {
    id: 147,
    name: 'bpf_d_path',
    summary: 'Path of a struct path as text.',
    protos: [
      proto('bpf_d_path_proto', [object('path', 'path'), memory('buf', 'MEM_WRITE'), sizeOrZero('sz')], INTEGER, {
        allowed: mayUseDPath,
        run: dPath,
      }),
    ],
    available: [to(BTF_TRACING_TYPES, 'bpf_d_path_proto')],
  },
  {
    id: 173,
    name: 'bpf_get_func_ip',
    summary: 'Address of the traced function.',
    protos: [
      ...protos(['bpf_get_func_ip_proto_kprobe_multi', 'bpf_get_func_ip_proto_uprobe_multi'], [context('ctx')], INTEGER, {
        run: getFuncIp,
      }),
      ...protos(['bpf_get_func_ip_proto_kprobe', 'bpf_get_func_ip_proto_tracing'], [context('ctx')], INTEGER, {
        gplOnly: true,
        run: getFuncIp,
      }),
    ],
    available: [
      to(['kprobe'], 'bpf_get_func_ip_proto_kprobe_multi', { attachIn: ['BPF_TRACE_KPROBE_MULTI', 'BPF_TRACE_KPROBE_SESSION'] }),
      to(['kprobe'], 'bpf_get_func_ip_proto_uprobe_multi', { attachIn: ['BPF_TRACE_UPROBE_MULTI', 'BPF_TRACE_UPROBE_SESSION'] }),
      to(['kprobe'], 'bpf_get_func_ip_proto_kprobe'),
      to(TRACING_TYPES, 'bpf_get_func_ip_proto_tracing'),
    ],
    effects: { rule: 'get_func_ip' },
  },
  {
    id: 174,
    name: 'bpf_get_attach_cookie',
    summary: 'The number that user space gave when it attached the program.',
    protos: [
      ...protos(
        [
          'bpf_get_attach_cookie_proto_kmulti',
          'bpf_get_attach_cookie_proto_umulti',
          'bpf_get_attach_cookie_proto_trace',
          'bpf_get_attach_cookie_proto_pe',
          'bpf_get_attach_cookie_proto_tracing',
          'bpf_get_attach_cookie_proto',
        ],
        [context('ctx')],
        INTEGER,
        { run: getAttachCookie },
      ),
    ],
    available: [
      to(['kprobe'], 'bpf_get_attach_cookie_proto_kmulti', { attachIn: ['BPF_TRACE_KPROBE_MULTI', 'BPF_TRACE_KPROBE_SESSION'] }),
      to(['kprobe'], 'bpf_get_attach_cookie_proto_umulti', { attachIn: ['BPF_TRACE_UPROBE_MULTI', 'BPF_TRACE_UPROBE_SESSION'] }),
      to(['kprobe', 'tracepoint'], 'bpf_get_attach_cookie_proto_trace'),
      to(['perf_event'], 'bpf_get_attach_cookie_proto_pe'),
      to(['raw_tracepoint', 'raw_tracepoint_writable'], 'bpf_get_attach_cookie_proto_tracing'),
      to(['tracing'], 'bpf_get_attach_cookie_proto_tracing', {
        attachIn: ['BPF_TRACE_RAW_TP', 'BPF_TRACE_FENTRY', 'BPF_TRACE_FEXIT', 'BPF_MODIFY_RETURN'],
      }),
      to(['lsm'], 'bpf_get_attach_cookie_proto', { attachIn: ['BPF_LSM_MAC'] }),
    ],
  },
  {
    id: 183,
    name: 'bpf_get_func_arg',
    summary: 'An argument of the traced function, by number.',
    protos: [
      proto(
        'bpf_get_func_arg_proto',
        [context('ctx'), anything('n'), fixed('value', 8, 'MEM_UNINIT', 'MEM_WRITE', 'MEM_ALIGNED')],
        INTEGER,
        { run: getFuncArg },
      ),
    ],
    available: [to(['tracing', 'lsm'], 'bpf_get_func_arg_proto', ON_TRAMPOLINE)],
  },
  {
    id: 184,
    name: 'bpf_get_func_ret',
    summary: 'Return value of the traced function.',
    protos: [
      proto('bpf_get_func_ret_proto', [context('ctx'), fixed('value', 8, 'MEM_UNINIT', 'MEM_WRITE', 'MEM_ALIGNED')], INTEGER, {
        run: getFuncRet,
      }),
    ],
    available: [to(['tracing', 'lsm'], 'bpf_get_func_ret_proto', ON_TRAMPOLINE)],
  },
  {
    id: 185,
    name: 'bpf_get_func_arg_cnt',
    summary: 'Number of arguments of the traced function.',
    protos: [proto('bpf_get_func_arg_cnt_proto', [context('ctx')], INTEGER, { run: getFuncArgCnt })],
    available: [to(['tracing', 'lsm'], 'bpf_get_func_arg_cnt_proto', ON_TRAMPOLINE)],
  },
];
