import { ATTACH_TYPES, type AttachTypeName } from '../../src/contracts/attach_types.ts';
import { ALL_CAPABILITIES, type Capabilities, type Subject } from '../../src/contracts/subject.ts';
import { EMPTY_PROGRAM, type Program } from '../../src/program/program.ts';

const PROGRAM: Program = { ...EMPTY_PROGRAM, name: 'probe' };

/** Probe contexts whose suffix names no attach type in full. */
const SUFFIXES: Readonly<Record<string, AttachTypeName>> = {
  kprobe_multi: 'BPF_TRACE_KPROBE_MULTI',
  kprobe_session: 'BPF_TRACE_KPROBE_SESSION',
  uprobe_multi: 'BPF_TRACE_UPROBE_MULTI',
  uprobe_session: 'BPF_TRACE_UPROBE_SESSION',
  tp_btf: 'BPF_TRACE_RAW_TP',
  iter: 'BPF_TRACE_ITER',
  iter_tcp: 'BPF_TRACE_ITER',
};

function attachTypeOf(suffix: string): number {
  const name = suffix.startsWith('BPF_') ? (suffix as AttachTypeName) : SUFFIXES[suffix];
  return name === undefined ? 0 : ATTACH_TYPES[name];
}

/** The subject that a probe context of the recorded facts stands for: `XDP/BPF_XDP_DEVMAP`, `KPROBE/uprobe_multi.s`. */
export function subjectOf(type: number, context: string, caps: Capabilities = ALL_CAPABILITIES): Subject {
  const sleepable = context.endsWith('.s');
  const suffix = (sleepable ? context.slice(0, -2) : context).split('/')[1] ?? '';
  return {
    type,
    attachType: attachTypeOf(suffix),
    attachName: null,
    structOpsMember: null,
    sleepable,
    caps,
    program: { ...PROGRAM, type },
  };
}
