import type { Kfunc } from '../contracts/kfunc.ts';
import { XDP_AND_TC } from './availability.ts';

/** Connection tracking. */
export const conntrackKfuncs: readonly Kfunc[] = [
  {
    name: 'bpf_xdp_ct_alloc',
    summary: 'Makes a connection entry for a frame.',
    declaration:
      'struct nf_conn___init *bpf_xdp_ct_alloc(struct xdp_md *xdp_ctx, struct bpf_sock_tuple *bpf_tuple, u32 tuple__sz, struct bpf_ct_opts *opts, u32 opts__sz)',
    flags: ['KF_ACQUIRE', 'KF_RET_NULL'],
    available: XDP_AND_TC,
  },
  {
    name: 'bpf_xdp_ct_lookup',
    summary: 'Finds the connection entry of a frame.',
    declaration:
      'struct nf_conn *bpf_xdp_ct_lookup(struct xdp_md *xdp_ctx, struct bpf_sock_tuple *bpf_tuple, u32 tuple__sz, struct bpf_ct_opts *opts, u32 opts__sz)',
    flags: ['KF_ACQUIRE', 'KF_RET_NULL'],
    available: XDP_AND_TC,
  },
  {
    name: 'bpf_skb_ct_alloc',
    summary: 'Makes a connection entry for a packet.',
    declaration:
      'struct nf_conn___init *bpf_skb_ct_alloc(struct __sk_buff *skb_ctx, struct bpf_sock_tuple *bpf_tuple, u32 tuple__sz, struct bpf_ct_opts *opts, u32 opts__sz)',
    flags: ['KF_ACQUIRE', 'KF_RET_NULL'],
    available: XDP_AND_TC,
  },
  {
    name: 'bpf_skb_ct_lookup',
    summary: 'Finds the connection entry of a packet.',
    declaration:
      'struct nf_conn *bpf_skb_ct_lookup(struct __sk_buff *skb_ctx, struct bpf_sock_tuple *bpf_tuple, u32 tuple__sz, struct bpf_ct_opts *opts, u32 opts__sz)',
    flags: ['KF_ACQUIRE', 'KF_RET_NULL'],
    available: XDP_AND_TC,
  },
  {
    name: 'bpf_ct_insert_entry',
    summary: 'Puts a new connection entry into the table.',
    declaration: 'struct nf_conn *bpf_ct_insert_entry(struct nf_conn___init *nfct_i)',
    flags: ['KF_ACQUIRE', 'KF_RELEASE', 'KF_RET_NULL'],
    available: XDP_AND_TC,
  },
  {
    name: 'bpf_ct_release',
    summary: 'Drops a reference to a connection entry.',
    declaration: 'void bpf_ct_release(struct nf_conn *nfct)',
    flags: ['KF_RELEASE'],
    available: XDP_AND_TC,
  },
  {
    name: 'bpf_ct_set_timeout',
    summary: 'Sets the timeout of a new connection entry.',
    declaration: 'void bpf_ct_set_timeout(struct nf_conn___init *nfct, u32 timeout)',
    flags: ['KF_TRUSTED_ARGS'],
    available: XDP_AND_TC,
  },
  {
    name: 'bpf_ct_change_timeout',
    summary: 'Changes the timeout of a connection entry.',
    declaration: 'int bpf_ct_change_timeout(struct nf_conn *nfct, u32 timeout)',
    flags: ['KF_TRUSTED_ARGS'],
    available: XDP_AND_TC,
  },
  {
    name: 'bpf_ct_set_status',
    summary: 'Sets the status of a new connection entry.',
    declaration: 'int bpf_ct_set_status(const struct nf_conn___init *nfct, u32 status)',
    flags: ['KF_TRUSTED_ARGS'],
    available: XDP_AND_TC,
  },
  {
    name: 'bpf_ct_change_status',
    summary: 'Changes the status of a connection entry.',
    declaration: 'int bpf_ct_change_status(struct nf_conn *nfct, u32 status)',
    flags: ['KF_TRUSTED_ARGS'],
    available: XDP_AND_TC,
  },
  {
    name: 'bpf_ct_set_nat_info',
    summary: 'Sets the address translation of a new connection entry.',
    declaration:
      'int bpf_ct_set_nat_info(struct nf_conn___init *nfct, union nf_inet_addr *addr, int port, enum nf_nat_manip_type manip)',
    flags: ['KF_TRUSTED_ARGS'],
    available: XDP_AND_TC,
  },
];
