import type { Helper } from '../contracts/helper.ts';
import { to } from './availability.ts';
import { anything, context, INTEGER, input, proto, protos, size } from './spec.ts';

/** Lightweight tunnels. */
export const lwtHelpers: readonly Helper[] = [
  {
    id: 73,
    name: 'bpf_lwt_push_encap',
    summary: 'Puts an outer header around a packet.',
    protos: [
      ...protos(
        ['bpf_lwt_in_push_encap_proto', 'bpf_lwt_xmit_push_encap_proto'],
        [context('skb'), anything('type'), input('hdr'), size('len')],
        INTEGER,
      ),
    ],
    available: [to(['lwt_in'], 'bpf_lwt_in_push_encap_proto'), to(['lwt_xmit'], 'bpf_lwt_xmit_push_encap_proto')],
    effects: { changesPacketData: true },
  },
  {
    id: 74,
    name: 'bpf_lwt_seg6_store_bytes',
    summary: 'Writes into the segment routing header.',
    protos: [proto('bpf_lwt_seg6_store_bytes_proto', [context('skb'), anything('offset'), input('from'), size('len')], INTEGER)],
    available: [to(['lwt_seg6local'], 'bpf_lwt_seg6_store_bytes_proto')],
    effects: { changesPacketData: true },
  },
  {
    id: 75,
    name: 'bpf_lwt_seg6_adjust_srh',
    summary: 'Grows or shrinks the segment routing header.',
    protos: [proto('bpf_lwt_seg6_adjust_srh_proto', [context('skb'), anything('offset'), anything('delta')], INTEGER)],
    available: [to(['lwt_seg6local'], 'bpf_lwt_seg6_adjust_srh_proto')],
    effects: { changesPacketData: true },
  },
  {
    id: 76,
    name: 'bpf_lwt_seg6_action',
    summary: 'Applies a segment routing action.',
    protos: [
      proto('bpf_lwt_seg6_action_proto', [context('skb'), anything('action'), input('param'), size('param_len')], INTEGER),
    ],
    available: [to(['lwt_seg6local'], 'bpf_lwt_seg6_action_proto')],
    effects: { changesPacketData: true },
  },
];
