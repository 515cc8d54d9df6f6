import type { Kfunc } from '../contracts/kfunc.ts';
import { GENERIC } from './availability.ts';
import { objDrop, objNew, percpuObjNew, refcountAcquire } from './run/objects.ts';

/** Allocated objects and reference counts. */
export const objectsKfuncs: readonly Kfunc[] = [
  {
    name: 'bpf_obj_new_impl',
    summary: 'Allocates an object of a struct of the program.',
    declaration: 'void *bpf_obj_new_impl(u64 local_type_id__k, void *meta__ign)',
    flags: ['KF_ACQUIRE', 'KF_RET_NULL'],
    available: GENERIC,
    roles: ['obj_new'],
    run: objNew,
  },
  {
    name: 'bpf_obj_drop_impl',
    summary: 'Frees an allocated object.',
    declaration: 'void bpf_obj_drop_impl(void *p__alloc, void *meta__ign)',
    flags: ['KF_RELEASE'],
    available: GENERIC,
    roles: ['obj_drop'],
    run: objDrop,
  },
  {
    name: 'bpf_percpu_obj_new_impl',
    summary: 'Allocates an object on every CPU.',
    declaration: 'void *bpf_percpu_obj_new_impl(u64 local_type_id__k, void *meta__ign)',
    flags: ['KF_ACQUIRE', 'KF_RET_NULL'],
    available: GENERIC,
    roles: ['percpu_obj_new'],
    run: percpuObjNew,
  },
  {
    name: 'bpf_percpu_obj_drop_impl',
    summary: 'Frees a per-CPU object.',
    declaration: 'void bpf_percpu_obj_drop_impl(void *p__alloc, void *meta__ign)',
    flags: ['KF_RELEASE'],
    available: GENERIC,
    roles: ['percpu_obj_drop'],
    run: objDrop,
  },
  {
    name: 'bpf_refcount_acquire_impl',
    summary: 'Takes another reference to an object with a bpf_refcount.',
    declaration: 'void *bpf_refcount_acquire_impl(void *p__refcounted_kptr, void *meta__ign)',
    flags: ['KF_ACQUIRE', 'KF_RET_NULL', 'KF_RCU'],
    available: GENERIC,
    roles: ['refcount_acquire'],
    allowedInLocks: true,
    run: refcountAcquire,
  },
];
