import type { Helper } from '../contracts/helper.ts';
import { TC_TYPES, to } from './availability.ts';
import { cloneRedirect, redirect, redirectNeigh, redirectPeer, xdpRedirect, xdpRedirectMap } from './run/redirect.ts';
import { anything, constMap, context, INTEGER, mapKey, memory, proto, sizeOrZero } from './spec.ts';

/** Redirection of packets, frames and messages. */
export const redirectHelpers: readonly Helper[] = [
  {
    id: 13,
    name: 'bpf_clone_redirect',
    summary: 'Sends a copy of a packet to a device.',
    protos: [
      proto('bpf_clone_redirect_proto', [context('skb'), anything('ifindex'), anything('flags')], INTEGER, {
        run: cloneRedirect,
      }),
    ],
    available: [to([...TC_TYPES, 'lwt_xmit'], 'bpf_clone_redirect_proto')],
    effects: { changesPacketData: true },
  },
  {
    id: 23,
    name: 'bpf_redirect',
    summary: 'Sends the packet to a device when the program ends.',
    protos: [
      proto('bpf_xdp_redirect_proto', [anything('ifindex'), anything('flags')], INTEGER, { run: xdpRedirect }),
      proto('bpf_redirect_proto', [anything('ifindex'), anything('flags')], INTEGER, { run: redirect }),
    ],
    available: [to(['xdp'], 'bpf_xdp_redirect_proto'), to([...TC_TYPES, 'lwt_xmit'], 'bpf_redirect_proto')],
  },
  {
    id: 51,
    name: 'bpf_redirect_map',
    summary: 'Sends the frame to a slot of a device, CPU or socket map when the program ends.',
    protos: [
      proto('bpf_xdp_redirect_map_proto', [constMap('map'), anything('key'), anything('flags')], INTEGER, {
        run: xdpRedirectMap,
      }),
    ],
    available: [to(['xdp'], 'bpf_xdp_redirect_map_proto')],
    effects: { recordsMap: true },
    maps: ['devmap', 'devmap_hash', 'cpumap', 'xskmap'],
  },
  {
    id: 52,
    name: 'bpf_sk_redirect_map',
    summary: 'Sends the packet to a socket of a map.',
    protos: [proto('bpf_sk_redirect_map_proto', [context('skb'), constMap('map'), anything('key'), anything('flags')], INTEGER)],
    available: [to(['sk_skb'], 'bpf_sk_redirect_map_proto')],
    maps: ['sockmap'],
  },
  {
    id: 60,
    name: 'bpf_msg_redirect_map',
    summary: 'Sends the message to a socket of a map.',
    protos: [proto('bpf_msg_redirect_map_proto', [context('msg'), constMap('map'), anything('key'), anything('flags')], INTEGER)],
    available: [to(['sk_msg'], 'bpf_msg_redirect_map_proto')],
    maps: ['sockmap'],
  },
  {
    id: 71,
    name: 'bpf_msg_redirect_hash',
    summary: 'Sends the message to a socket of a hash.',
    protos: [proto('bpf_msg_redirect_hash_proto', [context('msg'), constMap('map'), mapKey('key'), anything('flags')], INTEGER)],
    available: [to(['sk_msg'], 'bpf_msg_redirect_hash_proto')],
    maps: ['sockhash'],
  },
  {
    id: 72,
    name: 'bpf_sk_redirect_hash',
    summary: 'Sends the packet to a socket of a hash.',
    protos: [proto('bpf_sk_redirect_hash_proto', [context('skb'), constMap('map'), mapKey('key'), anything('flags')], INTEGER)],
    available: [to(['sk_skb'], 'bpf_sk_redirect_hash_proto')],
    maps: ['sockhash'],
  },
  {
    id: 152,
    name: 'bpf_redirect_neigh',
    summary: 'Sends the packet to a device after resolving its neighbour.',
    protos: [
      proto(
        'bpf_redirect_neigh_proto',
        [anything('ifindex'), memory('params', 'PTR_MAYBE_NULL', 'MEM_RDONLY'), sizeOrZero('plen'), anything('flags')],
        INTEGER,
        { run: redirectNeigh },
      ),
    ],
    available: [to(TC_TYPES, 'bpf_redirect_neigh_proto')],
  },
  {
    id: 155,
    name: 'bpf_redirect_peer',
    summary: 'Moves the packet to the peer of a virtual device.',
    protos: [proto('bpf_redirect_peer_proto', [anything('ifindex'), anything('flags')], INTEGER, { run: redirectPeer })],
    available: [to(TC_TYPES, 'bpf_redirect_peer_proto')],
  },
];
