import type { Helper } from '../contracts/helper.ts';
import { LWT_TYPES, TC_TYPES, to } from './availability.ts';
import { skbAdjustRoom } from './run/adjust_room.ts';
import { flowDissectorLoadBytes, skbLoadBytes, skbLoadBytesRelative, skbPullData, skbStoreBytes } from './run/skb_bytes.ts';
import { getHashRecalc, setHash, setHashInvalid, skbEcnSetCe, skbSetTstamp } from './run/skb_meta.ts';
import { skbChangeHead, skbChangeProto, skbChangeTail, skbChangeType, skSkbAdjustRoom } from './run/skb_shape.ts';
import { skbVlanPop, skbVlanPush } from './run/vlan.ts';
import { anything, context, INTEGER, input, output, proto, protos, size } from './spec.ts';

/** Socket buffers. */
export const skbHelpers: readonly Helper[] = [
  {
    id: 9,
    name: 'bpf_skb_store_bytes',
    summary: 'Writes bytes into a packet.',
    protos: [
      proto(
        'bpf_skb_store_bytes_proto',
        [context('skb'), anything('offset'), input('from'), size('len'), anything('flags')],
        INTEGER,
        { run: skbStoreBytes },
      ),
    ],
    available: [to([...TC_TYPES, 'lwt_xmit', 'sk_skb'], 'bpf_skb_store_bytes_proto')],
    effects: { changesPacketData: true },
  },
  {
    id: 18,
    name: 'bpf_skb_vlan_push',
    summary: 'Adds a VLAN tag.',
    protos: [
      proto('bpf_skb_vlan_push_proto', [context('skb'), anything('vlan_proto'), anything('vlan_tci')], INTEGER, {
        run: skbVlanPush,
      }),
    ],
    available: [to(TC_TYPES, 'bpf_skb_vlan_push_proto')],
    effects: { changesPacketData: true },
  },
  {
    id: 19,
    name: 'bpf_skb_vlan_pop',
    summary: 'Removes a VLAN tag.',
    protos: [proto('bpf_skb_vlan_pop_proto', [context('skb')], INTEGER, { run: skbVlanPop })],
    available: [to(TC_TYPES, 'bpf_skb_vlan_pop_proto')],
    effects: { changesPacketData: true },
  },
  {
    id: 26,
    name: 'bpf_skb_load_bytes',
    summary: 'Copies bytes out of a packet.',
    protos: [
      proto('bpf_flow_dissector_load_bytes_proto', [context('skb'), anything('offset'), output('to'), size('len')], INTEGER, {
        run: flowDissectorLoadBytes,
      }),
      proto('sk_reuseport_load_bytes_proto', [context('skb'), anything('offset'), output('to'), size('len')], INTEGER),
      proto('bpf_skb_load_bytes_proto', [context('skb'), anything('offset'), output('to'), size('len')], INTEGER, {
        run: skbLoadBytes,
      }),
    ],
    available: [
      to(['flow_dissector'], 'bpf_flow_dissector_load_bytes_proto'),
      to(['sk_reuseport'], 'sk_reuseport_load_bytes_proto'),
      to(['socket_filter', 'cgroup_skb', 'sk_skb', ...TC_TYPES, ...LWT_TYPES], 'bpf_skb_load_bytes_proto'),
    ],
  },
  {
    id: 31,
    name: 'bpf_skb_change_proto',
    summary: 'Turns an IPv4 packet into an IPv6 one or back.',
    protos: [
      proto('bpf_skb_change_proto_proto', [context('skb'), anything('proto'), anything('flags')], INTEGER, {
        run: skbChangeProto,
      }),
    ],
    available: [to(TC_TYPES, 'bpf_skb_change_proto_proto')],
    effects: { changesPacketData: true },
  },
  {
    id: 32,
    name: 'bpf_skb_change_type',
    summary: 'Sets the packet type.',
    protos: [proto('bpf_skb_change_type_proto', [context('skb'), anything('type')], INTEGER, { run: skbChangeType })],
    available: [to(TC_TYPES, 'bpf_skb_change_type_proto')],
  },
  {
    id: 34,
    name: 'bpf_get_hash_recalc',
    summary: 'Flow hash of a packet, computed when there is none.',
    protos: [proto('bpf_get_hash_recalc_proto', [context('skb')], INTEGER, { run: getHashRecalc })],
    available: [to([...TC_TYPES, ...LWT_TYPES], 'bpf_get_hash_recalc_proto')],
  },
  {
    id: 38,
    name: 'bpf_skb_change_tail',
    summary: 'Shortens or lengthens a packet at its end.',
    protos: [
      ...protos(
        ['sk_skb_change_tail_proto', 'bpf_skb_change_tail_proto'],
        [context('skb'), anything('len'), anything('flags')],
        INTEGER,
        { run: skbChangeTail },
      ),
    ],
    available: [to(['sk_skb'], 'sk_skb_change_tail_proto'), to([...TC_TYPES, 'lwt_xmit'], 'bpf_skb_change_tail_proto')],
    effects: { changesPacketData: true },
  },
  {
    id: 39,
    name: 'bpf_skb_pull_data',
    summary: 'Makes packet bytes directly accessible.',
    protos: [
      ...protos(['sk_skb_pull_data_proto', 'bpf_skb_pull_data_proto'], [context('skb'), anything('len')], INTEGER, {
        run: skbPullData,
      }),
    ],
    available: [to(['sk_skb'], 'sk_skb_pull_data_proto'), to([...TC_TYPES, ...LWT_TYPES], 'bpf_skb_pull_data_proto')],
    effects: { changesPacketData: true },
  },
  {
    id: 41,
    name: 'bpf_set_hash_invalid',
    summary: 'Forgets the flow hash of a packet.',
    protos: [proto('bpf_set_hash_invalid_proto', [context('skb')], INTEGER, { run: setHashInvalid })],
    available: [to([...TC_TYPES, 'lwt_xmit'], 'bpf_set_hash_invalid_proto')],
  },
  {
    id: 43,
    name: 'bpf_skb_change_head',
    summary: 'Adds room in front of a packet.',
    protos: [
      ...protos(
        ['sk_skb_change_head_proto', 'bpf_skb_change_head_proto'],
        [context('skb'), anything('len'), anything('flags')],
        INTEGER,
        { run: skbChangeHead },
      ),
    ],
    available: [to(['sk_skb'], 'sk_skb_change_head_proto'), to([...TC_TYPES, 'lwt_xmit'], 'bpf_skb_change_head_proto')],
    effects: { changesPacketData: true },
  },
  {
    id: 48,
    name: 'bpf_set_hash',
    summary: 'Sets the flow hash of a packet.',
    protos: [proto('bpf_set_hash_proto', [context('skb'), anything('hash')], INTEGER, { run: setHash })],
    available: [to(TC_TYPES, 'bpf_set_hash_proto')],
  },
  {
    id: 50,
    name: 'bpf_skb_adjust_room',
    summary: 'Grows or shrinks a packet behind its link or network header.',
    protos: [
      proto('sk_skb_adjust_room_proto', [context('skb'), anything('len_diff'), anything('mode'), anything('flags')], INTEGER, {
        run: skSkbAdjustRoom,
      }),
      proto('bpf_skb_adjust_room_proto', [context('skb'), anything('len_diff'), anything('mode'), anything('flags')], INTEGER, {
        run: skbAdjustRoom,
      }),
    ],
    available: [to(['sk_skb'], 'sk_skb_adjust_room_proto'), to(TC_TYPES, 'bpf_skb_adjust_room_proto')],
    effects: { changesPacketData: true },
  },
  {
    id: 66,
    name: 'bpf_skb_get_xfrm_state',
    summary: 'Describes the IPsec state of a packet.',
    protos: [
      proto(
        'bpf_skb_get_xfrm_state_proto',
        [context('skb'), anything('index'), output('xfrm_state'), size('size'), anything('flags')],
        INTEGER,
      ),
    ],
    available: [to(TC_TYPES, 'bpf_skb_get_xfrm_state_proto')],
  },
  {
    id: 68,
    name: 'bpf_skb_load_bytes_relative',
    summary: 'Copies bytes out of a packet, counted from a header.',
    protos: [
      proto(
        'sk_reuseport_load_bytes_relative_proto',
        [context('skb'), anything('offset'), output('to'), size('len'), anything('start_header')],
        INTEGER,
      ),
      proto(
        'bpf_skb_load_bytes_relative_proto',
        [context('skb'), anything('offset'), output('to'), size('len'), anything('start_header')],
        INTEGER,
        { run: skbLoadBytesRelative },
      ),
    ],
    available: [
      to(['sk_reuseport'], 'sk_reuseport_load_bytes_relative_proto'),
      to(['socket_filter', 'cgroup_skb', ...TC_TYPES], 'bpf_skb_load_bytes_relative_proto'),
    ],
  },
  {
    id: 97,
    name: 'bpf_skb_ecn_set_ce',
    summary: 'Marks a packet as having met congestion.',
    protos: [proto('bpf_skb_ecn_set_ce_proto', [context('skb')], INTEGER, { run: skbEcnSetCe })],
    available: [to(['cgroup_skb', ...TC_TYPES], 'bpf_skb_ecn_set_ce_proto')],
  },
  {
    id: 192,
    name: 'bpf_skb_set_tstamp',
    summary: 'Sets the time stamp of a packet and its kind.',
    protos: [
      proto('bpf_skb_set_tstamp_proto', [context('skb'), anything('tstamp'), anything('tstamp_type')], INTEGER, {
        run: skbSetTstamp,
      }),
    ],
    available: [to(TC_TYPES, 'bpf_skb_set_tstamp_proto')],
  },
];
