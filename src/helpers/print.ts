import type { Helper } from '../contracts/helper.ts';
import { BASE_TYPES, to, WITH_PERFMON } from './availability.ts';
import { seqPrintf, seqWrite, snprintf, tracePrintk, traceVprintk } from './run/print.ts';
import { seqPrintfBtf, snprintfBtf } from './run/print_btf.ts';
import { anything, arg, INTEGER, input, memory, object, proto, size, sizeOrZero } from './spec.ts';

/** Formatted output. */
export const printHelpers: readonly Helper[] = [
  {
    id: 6,
    name: 'bpf_trace_printk',
    summary: 'Prints up to three values into the trace buffer.',
    protos: [proto('bpf_trace_printk_proto', [input('fmt'), size('fmt_size')], INTEGER, { gplOnly: true, run: tracePrintk })],
    available: [
      to(BASE_TYPES, 'bpf_trace_printk_proto', ...WITH_PERFMON),
      to(['lirc_mode2'], 'bpf_trace_printk_proto', { cap: 'perfmon' }),
    ],
  },
  {
    id: 126,
    name: 'bpf_seq_printf',
    summary: 'Formats values into the file of an iterator.',
    protos: [
      proto(
        'bpf_seq_printf_proto',
        [
          object('m', 'seq_file'),
          input('fmt'),
          size('fmt_size'),
          memory('data', 'PTR_MAYBE_NULL', 'MEM_RDONLY'),
          sizeOrZero('data_len'),
        ],
        INTEGER,
        { gplOnly: true, run: seqPrintf },
      ),
    ],
    available: [to(['tracing'], 'bpf_seq_printf_proto', { attachIn: ['BPF_TRACE_ITER'] })],
  },
  {
    id: 127,
    name: 'bpf_seq_write',
    summary: 'Writes bytes into the file of an iterator.',
    protos: [
      proto('bpf_seq_write_proto', [object('m', 'seq_file'), input('data'), sizeOrZero('len')], INTEGER, {
        gplOnly: true,
        run: seqWrite,
      }),
    ],
    available: [to(['tracing'], 'bpf_seq_write_proto', { attachIn: ['BPF_TRACE_ITER'] })],
  },
  {
    id: 149,
    name: 'bpf_snprintf_btf',
    summary: 'Formats a typed object into a buffer.',
    protos: [
      proto(
        'bpf_snprintf_btf_proto',
        [memory('str', 'MEM_WRITE'), size('str_size'), input('ptr'), size('btf_ptr_size'), anything('flags')],
        INTEGER,
        { run: snprintfBtf },
      ),
    ],
    available: [to(BASE_TYPES, 'bpf_snprintf_btf_proto', ...WITH_PERFMON)],
  },
  {
    id: 150,
    name: 'bpf_seq_printf_btf',
    summary: 'Formats a typed object into the file of an iterator.',
    protos: [
      proto(
        'bpf_seq_printf_btf_proto',
        [object('m', 'seq_file'), input('ptr'), sizeOrZero('ptr_size'), anything('flags')],
        INTEGER,
        { gplOnly: true, run: seqPrintfBtf },
      ),
    ],
    available: [to(['tracing'], 'bpf_seq_printf_btf_proto', { attachIn: ['BPF_TRACE_ITER'] })],
  },
  {
    id: 165,
    name: 'bpf_snprintf',
    summary: 'Formats values into a buffer.',
    protos: [
      proto(
        'bpf_snprintf_proto',
        [
          memory('str', 'PTR_MAYBE_NULL', 'MEM_WRITE'),
          sizeOrZero('str_size'),
          arg('fmt', 'ARG_PTR_TO_CONST_STR'),
          memory('data', 'PTR_MAYBE_NULL', 'MEM_RDONLY'),
          sizeOrZero('data_len'),
        ],
        INTEGER,
        { gplOnly: true, run: snprintf },
      ),
    ],
    available: [to(BASE_TYPES, 'bpf_snprintf_proto', ...WITH_PERFMON)],
    effects: { rule: 'snprintf' },
  },
  {
    id: 177,
    name: 'bpf_trace_vprintk',
    summary: 'Prints an array of values into the trace buffer.',
    protos: [
      proto(
        'bpf_trace_vprintk_proto',
        [input('fmt'), size('fmt_size'), memory('data', 'PTR_MAYBE_NULL', 'MEM_RDONLY'), sizeOrZero('data_len')],
        INTEGER,
        { gplOnly: true, run: traceVprintk },
      ),
    ],
    available: [to(BASE_TYPES, 'bpf_trace_vprintk_proto', ...WITH_PERFMON)],
  },
];
