import type { Helper } from '../contracts/helper.ts';
import { BASE_TYPES, to, WITH_BPF } from './availability.ts';
import { spinLock, spinUnlock } from './run/lock.ts';
import { kptrXchg, perCpuPtr, thisCpuPtr } from './run/object.ts';
import { anything, arg, proto, VOID } from './spec.ts';

/** Locks, per-CPU variables and kernel pointers in maps. */
export const objectHelpers: readonly Helper[] = [
  {
    id: 93,
    name: 'bpf_spin_lock',
    summary: 'Takes a lock in a map value or an allocated object.',
    protos: [proto('bpf_spin_lock_proto', [arg('lock', 'ARG_PTR_TO_SPIN_LOCK')], VOID, { run: spinLock })],
    available: [to(BASE_TYPES, 'bpf_spin_lock_proto', ...WITH_BPF)],
    effects: { lock: 'lock', acceptsAllocated: true },
  },
  {
    id: 94,
    name: 'bpf_spin_unlock',
    summary: 'Drops a lock.',
    protos: [proto('bpf_spin_unlock_proto', [arg('lock', 'ARG_PTR_TO_SPIN_LOCK')], VOID, { run: spinUnlock })],
    available: [to(BASE_TYPES, 'bpf_spin_unlock_proto', ...WITH_BPF)],
    effects: { lock: 'unlock', acceptsAllocated: true, allowedInLocks: true },
  },
  {
    id: 153,
    name: 'bpf_per_cpu_ptr',
    summary: 'Address of a per-CPU variable on a given CPU, or NULL.',
    protos: [
      proto(
        'bpf_per_cpu_ptr_proto',
        [arg('percpu_ptr', 'ARG_PTR_TO_PERCPU_BTF_ID'), anything('cpu')],
        {
          base: 'RET_PTR_TO_MEM_OR_BTF_ID',
          flags: ['PTR_MAYBE_NULL', 'MEM_RDONLY'],
        },
        { run: perCpuPtr },
      ),
    ],
    available: [to(BASE_TYPES, 'bpf_per_cpu_ptr_proto', ...WITH_BPF)],
    effects: { rule: 'per_cpu_ptr' },
  },
  {
    id: 154,
    name: 'bpf_this_cpu_ptr',
    summary: 'Address of a per-CPU variable on this CPU.',
    protos: [
      proto(
        'bpf_this_cpu_ptr_proto',
        [arg('percpu_ptr', 'ARG_PTR_TO_PERCPU_BTF_ID')],
        {
          base: 'RET_PTR_TO_MEM_OR_BTF_ID',
          flags: ['MEM_RDONLY'],
        },
        { run: thisCpuPtr },
      ),
    ],
    available: [to(BASE_TYPES, 'bpf_this_cpu_ptr_proto', ...WITH_BPF)],
    effects: { rule: 'per_cpu_ptr' },
  },
  {
    id: 194,
    name: 'bpf_kptr_xchg',
    summary: 'Exchanges the kernel pointer in a map value; returns the old one.',
    protos: [
      proto(
        'bpf_kptr_xchg_proto',
        [arg('dst', 'ARG_KPTR_XCHG_DEST'), arg('ptr', 'ARG_PTR_TO_BTF_ID', 'PTR_MAYBE_NULL', 'OBJ_RELEASE')],
        { base: 'RET_PTR_TO_BTF_ID', flags: ['PTR_MAYBE_NULL'] },
        { run: kptrXchg },
      ),
    ],
    available: [to(BASE_TYPES, 'bpf_kptr_xchg_proto', ...WITH_BPF)],
    effects: { acquires: 'always', acceptsAllocated: true, rule: 'kptr_xchg' },
  },
];
