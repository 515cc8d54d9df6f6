import type { Kfunc } from '../contracts/kfunc.ts';
import { CGROUP, ITERATORS, XDP_ONLY } from './availability.ts';
import { noMetadata } from './run/session.ts';

/** Packets and sockets. */
export const netKfuncs: readonly Kfunc[] = [
  {
    name: 'bpf_xdp_pull_data',
    summary: 'Makes bytes of a frame directly accessible.',
    declaration: 'int bpf_xdp_pull_data(struct xdp_md *x, u32 len)',
    flags: [],
    available: XDP_ONLY,
    roles: ['changes_packet_data'],
  },
  {
    name: 'bpf_xdp_metadata_rx_timestamp',
    summary: 'Time at which the device received a frame.',
    declaration: 'int bpf_xdp_metadata_rx_timestamp(const struct xdp_md *ctx, u64 *timestamp)',
    flags: ['KF_TRUSTED_ARGS'],
    available: XDP_ONLY,
    roles: ['device_bound'],
    run: noMetadata,
  },
  {
    name: 'bpf_xdp_metadata_rx_hash',
    summary: 'Hash that the device computed of a frame.',
    declaration: 'int bpf_xdp_metadata_rx_hash(const struct xdp_md *ctx, u32 *hash, enum xdp_rss_hash_type *rss_type)',
    flags: ['KF_TRUSTED_ARGS'],
    available: XDP_ONLY,
    roles: ['device_bound'],
    run: noMetadata,
  },
  {
    name: 'bpf_xdp_metadata_rx_vlan_tag',
    summary: 'VLAN tag that the device took out of a frame.',
    declaration: 'int bpf_xdp_metadata_rx_vlan_tag(const struct xdp_md *ctx, __be16 *vlan_proto, u16 *vlan_tci)',
    flags: ['KF_TRUSTED_ARGS'],
    available: XDP_ONLY,
    roles: ['device_bound'],
    run: noMetadata,
  },
  {
    name: 'bpf_xdp_get_xfrm_state',
    summary: 'Finds an IPsec state.',
    declaration: 'struct xfrm_state *bpf_xdp_get_xfrm_state(struct xdp_md *ctx, struct bpf_xfrm_state_opts *opts, u32 opts__sz)',
    flags: ['KF_ACQUIRE', 'KF_RET_NULL'],
    available: XDP_ONLY,
  },
  {
    name: 'bpf_xdp_xfrm_state_release',
    summary: 'Drops a reference to an IPsec state.',
    declaration: 'void bpf_xdp_xfrm_state_release(struct xfrm_state *x)',
    flags: ['KF_RELEASE'],
    available: XDP_ONLY,
  },
  {
    name: 'bpf_sk_assign_tcp_reqsk',
    summary: 'Makes a TCP connection request from a packet with a SYN cookie.',
    declaration:
      'int bpf_sk_assign_tcp_reqsk(struct __sk_buff *s, struct sock *sk, struct bpf_tcp_req_attrs *attrs, int attrs__sz)',
    flags: ['KF_TRUSTED_ARGS'],
    available: [{ types: ['sched_cls'] }],
  },
  {
    name: 'bpf_sock_addr_set_sun_path',
    summary: 'Sets the path of a Unix socket address.',
    declaration: 'int bpf_sock_addr_set_sun_path(struct bpf_sock_addr_kern *sa_kern, const u8 *sun_path, u32 sun_path__sz)',
    flags: [],
    available: CGROUP,
  },
  {
    name: 'bpf_sock_destroy',
    summary: 'Closes a socket.',
    declaration: 'int bpf_sock_destroy(struct sock_common *sock)',
    flags: ['KF_TRUSTED_ARGS'],
    available: ITERATORS,
  },
  {
    name: 'bpf_sock_ops_enable_tx_tstamp',
    summary: 'Asks for transmit time stamps of the data being sent.',
    declaration: 'int bpf_sock_ops_enable_tx_tstamp(struct bpf_sock_ops_kern *skops, u64 flags)',
    flags: ['KF_TRUSTED_ARGS'],
    available: CGROUP,
  },
];
