import type { Kfunc } from '../contracts/kfunc.ts';
import { EVERYONE } from './availability.ts';
import { castToKernCtx, rdonlyCast } from './run/casts.ts';

/** Casts. */
export const castsKfuncs: readonly Kfunc[] = [
  {
    name: 'bpf_cast_to_kern_ctx',
    summary: "The kernel's context behind the program's.",
    declaration: 'void *bpf_cast_to_kern_ctx(void *obj)',
    flags: ['KF_FASTCALL'],
    available: EVERYONE,
    roles: ['cast_to_kern_ctx'],
    run: castToKernCtx,
  },
  {
    name: 'bpf_rdonly_cast',
    summary: 'Views an address as a struct, for reading.',
    declaration: 'void *bpf_rdonly_cast(const void *obj__ign, u32 btf_id__k)',
    flags: ['KF_FASTCALL'],
    available: EVERYONE,
    roles: ['rdonly_cast'],
    run: rdonlyCast,
  },
  {
    name: 'bpf_get_kmem_cache',
    summary: 'The slab cache that an address belongs to.',
    declaration: 'struct kmem_cache *bpf_get_kmem_cache(u64 addr)',
    flags: [],
    available: EVERYONE,
    roles: ['get_kmem_cache'],
  },
];
