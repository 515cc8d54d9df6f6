import type { Kfunc } from '../contracts/kfunc.ts';
import { EVERYONE } from './availability.ts';
import {
  copyFromUserDynptr,
  copyFromUserStr,
  copyFromUserStrDynptr,
  copyFromUserTaskDynptr,
  copyFromUserTaskStr,
  copyFromUserTaskStrDynptr,
  probeReadKernelDynptr,
  probeReadKernelStrDynptr,
  probeReadUserDynptr,
  probeReadUserStrDynptr,
} from './run/probe.ts';

/** Reads of memory at addresses that may be bad. */
export const probeKfuncs: readonly Kfunc[] = [
  {
    name: 'bpf_probe_read_user_dynptr',
    summary: 'Reads user memory into a dynptr without sleeping.',
    declaration: 'int bpf_probe_read_user_dynptr(struct bpf_dynptr *dptr, u32 off, u32 size, const void *unsafe_ptr__ign)',
    flags: [],
    available: EVERYONE,
    run: probeReadUserDynptr,
  },
  {
    name: 'bpf_probe_read_kernel_dynptr',
    summary: 'Reads kernel memory into a dynptr.',
    declaration: 'int bpf_probe_read_kernel_dynptr(struct bpf_dynptr *dptr, u32 off, u32 size, const void *unsafe_ptr__ign)',
    flags: [],
    available: EVERYONE,
    run: probeReadKernelDynptr,
  },
  {
    name: 'bpf_probe_read_user_str_dynptr',
    summary: 'Reads a string from user memory into a dynptr without sleeping.',
    declaration: 'int bpf_probe_read_user_str_dynptr(struct bpf_dynptr *dptr, u32 off, u32 size, const void *unsafe_ptr__ign)',
    flags: [],
    available: EVERYONE,
    run: probeReadUserStrDynptr,
  },
  {
    name: 'bpf_probe_read_kernel_str_dynptr',
    summary: 'Reads a string from kernel memory into a dynptr.',
    declaration: 'int bpf_probe_read_kernel_str_dynptr(struct bpf_dynptr *dptr, u32 off, u32 size, const void *unsafe_ptr__ign)',
    flags: [],
    available: EVERYONE,
    run: probeReadKernelStrDynptr,
  },
  {
    name: 'bpf_copy_from_user_dynptr',
    summary: 'Reads user memory into a dynptr; may sleep.',
    declaration: 'int bpf_copy_from_user_dynptr(struct bpf_dynptr *dptr, u32 off, u32 size, const void *unsafe_ptr__ign)',
    flags: ['KF_SLEEPABLE'],
    available: EVERYONE,
    run: copyFromUserDynptr,
  },
  {
    name: 'bpf_copy_from_user_str_dynptr',
    summary: 'Reads a string from user memory into a dynptr; may sleep.',
    declaration: 'int bpf_copy_from_user_str_dynptr(struct bpf_dynptr *dptr, u32 off, u32 size, const void *unsafe_ptr__ign)',
    flags: ['KF_SLEEPABLE'],
    available: EVERYONE,
    run: copyFromUserStrDynptr,
  },
  {
    name: 'bpf_copy_from_user_task_dynptr',
    summary: 'Reads memory of another task into a dynptr; may sleep.',
    declaration:
      'int bpf_copy_from_user_task_dynptr(struct bpf_dynptr *dptr, u32 off, u32 size, const void *unsafe_ptr__ign, struct task_struct *tsk)',
    flags: ['KF_TRUSTED_ARGS', 'KF_SLEEPABLE'],
    available: EVERYONE,
    run: copyFromUserTaskDynptr,
  },
  {
    name: 'bpf_copy_from_user_task_str_dynptr',
    summary: 'Reads a string from memory of another task into a dynptr; may sleep.',
    declaration:
      'int bpf_copy_from_user_task_str_dynptr(struct bpf_dynptr *dptr, u32 off, u32 size, const void *unsafe_ptr__ign, struct task_struct *tsk)',
    flags: ['KF_TRUSTED_ARGS', 'KF_SLEEPABLE'],
    available: EVERYONE,
    run: copyFromUserTaskStrDynptr,
  },
  {
    name: 'bpf_copy_from_user_str',
    summary: 'Reads a string from user memory; may sleep.',
    declaration: 'int bpf_copy_from_user_str(void *dst, u32 dst__sz, const void *unsafe_ptr__ign, u64 flags)',
    flags: ['KF_SLEEPABLE'],
    available: EVERYONE,
    run: copyFromUserStr,
  },
  {
    name: 'bpf_copy_from_user_task_str',
    summary: 'Reads a string from memory of another task; may sleep.',
    declaration:
      'int bpf_copy_from_user_task_str(void *dst, u32 dst__sz, const void *unsafe_ptr__ign, struct task_struct *tsk, u64 flags)',
    flags: ['KF_SLEEPABLE'],
    available: EVERYONE,
    run: copyFromUserTaskStr,
  },
];
