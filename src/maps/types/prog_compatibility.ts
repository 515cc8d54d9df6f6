/** Which maps a program may refer to: check_map_prog_compatibility(), kernel/bpf/verifier.c. */
import type { CheckMapProgCompatibility, MapRefusal, SpecialField } from '../../contracts/map_type.ts';
import type { Subject } from '../../contracts/subject.ts';
import type { MapDef } from '../../program/program.ts';
import { MAP_TYPES } from './index.ts';

const SOCKET_FILTER = 1;
/** is_tracing_prog_type: kprobe, tracepoint, perf_event, raw_tracepoint, raw_tracepoint_writable */
const TRACING_TYPES: readonly number[] = [2, 5, 7, 17, 24];
const ARENA = 33;

interface FieldRule {
  readonly fields: readonly SpecialField[];
  readonly progTypes: readonly number[];
  readonly message: string;
}

/** In the kernel's order; the first that holds is the refusal. All are EINVAL. */
const FIELD_RULES: readonly FieldRule[] = [
  {
    fields: ['BPF_LIST_HEAD', 'BPF_RB_ROOT'],
    progTypes: TRACING_TYPES,
    message: 'tracing progs cannot use bpf_{list_head,rb_root} yet',
  },
  {
    fields: ['BPF_SPIN_LOCK', 'BPF_RES_SPIN_LOCK'],
    progTypes: [SOCKET_FILTER],
    message: 'socket filter progs cannot use bpf_spin_lock yet',
  },
  {
    fields: ['BPF_SPIN_LOCK', 'BPF_RES_SPIN_LOCK'],
    progTypes: TRACING_TYPES,
    message: 'tracing progs cannot use bpf_spin_lock yet',
  },
  { fields: ['BPF_TIMER'], progTypes: TRACING_TYPES, message: 'tracing progs cannot use bpf_timer yet' },
  { fields: ['BPF_WORKQUEUE'], progTypes: TRACING_TYPES, message: 'tracing progs cannot use bpf_wq yet' },
];

function checkArena(subject: Subject, hasArena: boolean): MapRefusal | null {
  if (hasArena) return { errno: 'EBUSY', message: 'Only one arena per program' };
  if (subject.caps.bpf && subject.caps.perfmon) return null;
  return { errno: 'EPERM', message: 'CAP_BPF and CAP_PERFMON are required to use arena' };
}

export const checkMapProgCompatibility: CheckMapProgCompatibility = (def, fields, subject, mapsBefore) => {
  const rule = FIELD_RULES.find(
    (each) => each.progTypes.includes(subject.type) && each.fields.some((field) => fields.has(field)),
  );
  if (rule !== undefined) return { errno: 'EINVAL', message: rule.message };
  const type = MAP_TYPES.get(def.type);
  if (type === undefined) return null;
  if (!type.usableInPrograms) return { errno: 'EINVAL', message: 'bpf_struct_ops map cannot be used in prog' };
  if (subject.sleepable && !type.sleepableOk) {
    return { errno: 'EINVAL', message: 'Sleepable programs can only use array, hash, ringbuf and local storage maps' };
  }
  const sameTypeBefore = mapsBefore.some((before: MapDef) => before !== def && before.type === def.type);
  if (def.type === ARENA) return checkArena(subject, sameTypeBefore);
  if (type.onePerProgram && sameTypeBefore) {
    return { errno: 'EBUSY', message: 'only one cgroup storage of each type is allowed' };
  }
  return null;
};
