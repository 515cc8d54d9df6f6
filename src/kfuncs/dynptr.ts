import type { Kfunc } from '../contracts/kfunc.ts';
import { EVERYONE, SKB, XDP_ONLY } from './availability.ts';

/** Dynptrs. */
export const dynptrKfuncs: readonly Kfunc[] = [
  {
    name: 'bpf_dynptr_from_skb',
    summary: 'Makes a dynptr over a packet.',
    declaration: 'int bpf_dynptr_from_skb(struct __sk_buff *s, u64 flags, struct bpf_dynptr *ptr__uninit)',
    flags: ['KF_TRUSTED_ARGS'],
    available: SKB,
    roles: ['dynptr_from_skb'],
  },
  {
    name: 'bpf_dynptr_from_skb_meta',
    summary: 'Makes a dynptr over the metadata of a packet.',
    declaration: 'int bpf_dynptr_from_skb_meta(struct __sk_buff *skb_, u64 flags, struct bpf_dynptr *ptr__uninit)',
    flags: ['KF_TRUSTED_ARGS'],
    available: [{ types: ['sched_cls', 'sched_act'] }],
    roles: ['dynptr_from_skb_meta'],
  },
  {
    name: 'bpf_dynptr_from_xdp',
    summary: 'Makes a dynptr over an XDP frame.',
    declaration: 'int bpf_dynptr_from_xdp(struct xdp_md *x, u64 flags, struct bpf_dynptr *ptr__uninit)',
    flags: [],
    available: XDP_ONLY,
    roles: ['dynptr_from_xdp'],
  },
  {
    name: 'bpf_dynptr_slice',
    summary: 'Pointer to a part of a dynptr, for reading.',
    declaration: 'void *bpf_dynptr_slice(const struct bpf_dynptr *p, u32 offset, void *buffer__opt, u32 buffer__szk)',
    flags: ['KF_RET_NULL'],
    available: EVERYONE,
    roles: ['dynptr_slice'],
  },
  {
    name: 'bpf_dynptr_slice_rdwr',
    summary: 'Pointer to a part of a dynptr, for reading and writing.',
    declaration: 'void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *p, u32 offset, void *buffer__opt, u32 buffer__szk)',
    flags: ['KF_RET_NULL'],
    available: EVERYONE,
    roles: ['dynptr_slice_rdwr'],
  },
  {
    name: 'bpf_dynptr_adjust',
    summary: 'Narrows a dynptr to a part of it.',
    declaration: 'int bpf_dynptr_adjust(const struct bpf_dynptr *p, u32 start, u32 end)',
    flags: [],
    available: EVERYONE,
  },
  {
    name: 'bpf_dynptr_is_null',
    summary: 'Whether a dynptr is invalid.',
    declaration: 'bool bpf_dynptr_is_null(const struct bpf_dynptr *p)',
    flags: [],
    available: EVERYONE,
  },
  {
    name: 'bpf_dynptr_is_rdonly',
    summary: 'Whether a dynptr is read-only.',
    declaration: 'bool bpf_dynptr_is_rdonly(const struct bpf_dynptr *p)',
    flags: [],
    available: EVERYONE,
  },
  {
    name: 'bpf_dynptr_size',
    summary: 'Number of bytes of a dynptr.',
    declaration: '__u32 bpf_dynptr_size(const struct bpf_dynptr *p)',
    flags: [],
    available: EVERYONE,
  },
  {
    name: 'bpf_dynptr_clone',
    summary: 'Makes a second dynptr over the same memory.',
    declaration: 'int bpf_dynptr_clone(const struct bpf_dynptr *p, struct bpf_dynptr *clone__uninit)',
    flags: [],
    available: EVERYONE,
    roles: ['dynptr_clone'],
  },
  {
    name: 'bpf_dynptr_copy',
    summary: 'Copies bytes from one dynptr to another.',
    declaration:
      'int bpf_dynptr_copy(struct bpf_dynptr *dst_ptr, u32 dst_off, struct bpf_dynptr *src_ptr, u32 src_off, u32 size)',
    flags: [],
    available: EVERYONE,
  },
  {
    name: 'bpf_dynptr_memset',
    summary: 'Fills a part of a dynptr with a byte.',
    declaration: 'int bpf_dynptr_memset(struct bpf_dynptr *p, u32 offset, u32 size, u8 val)',
    flags: [],
    available: EVERYONE,
  },
];
