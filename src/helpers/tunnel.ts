import type { Helper } from '../contracts/helper.ts';
import { TC_TYPES, to } from './availability.ts';
import { skbGetTunnelKey, skbGetTunnelOpt, skbSetTunnelKey, skbSetTunnelOpt } from './run/tunnel.ts';
import { anything, context, INTEGER, input, output, proto, size } from './spec.ts';

/** Tunnel data of packets. */
export const tunnelHelpers: readonly Helper[] = [
  {
    id: 20,
    name: 'bpf_skb_get_tunnel_key',
    summary: 'Reads the tunnel data of a packet.',
    protos: [
      proto('bpf_skb_get_tunnel_key_proto', [context('skb'), output('key'), size('size'), anything('flags')], INTEGER, {
        run: skbGetTunnelKey,
      }),
    ],
    available: [to([...TC_TYPES, 'lwt_xmit'], 'bpf_skb_get_tunnel_key_proto')],
  },
  {
    id: 21,
    name: 'bpf_skb_set_tunnel_key',
    summary: 'Sets the tunnel data of a packet.',
    protos: [
      proto('bpf_skb_set_tunnel_key_proto', [context('skb'), input('key'), size('size'), anything('flags')], INTEGER, {
        run: skbSetTunnelKey,
      }),
    ],
    available: [to([...TC_TYPES, 'lwt_xmit'], 'bpf_skb_set_tunnel_key_proto')],
  },
  {
    id: 29,
    name: 'bpf_skb_get_tunnel_opt',
    summary: 'Reads the tunnel options of a packet.',
    protos: [
      proto('bpf_skb_get_tunnel_opt_proto', [context('skb'), output('opt'), size('size')], INTEGER, { run: skbGetTunnelOpt }),
    ],
    available: [to([...TC_TYPES, 'lwt_xmit'], 'bpf_skb_get_tunnel_opt_proto')],
  },
  {
    id: 30,
    name: 'bpf_skb_set_tunnel_opt',
    summary: 'Sets the tunnel options of a packet.',
    protos: [
      proto('bpf_skb_set_tunnel_opt_proto', [context('skb'), input('opt'), size('size')], INTEGER, { run: skbSetTunnelOpt }),
    ],
    available: [to([...TC_TYPES, 'lwt_xmit'], 'bpf_skb_set_tunnel_opt_proto')],
  },
];
