import type { Helper } from '../contracts/helper.ts';
import { LWT_TYPES, TC_TYPES, to } from './availability.ts';
import { skbCheckMtu, xdpCheckMtu } from './run/mtu.ts';
import { getRouteRealm } from './run/skb_meta.ts';
import { anything, context, fixed, INTEGER, memory, proto, protos, size } from './spec.ts';

const CHECK_MTU_ARGS = [
  context('ctx'),
  anything('ifindex'),
  fixed('mtu_len', 4, 'MEM_WRITE', 'MEM_ALIGNED'),
  anything('len_diff'),
  anything('flags'),
];

/** Routes. */
export const routeHelpers: readonly Helper[] = [
  {
    id: 24,
    name: 'bpf_get_route_realm',
    summary: 'Routing realm of a packet.',
    protos: [proto('bpf_get_route_realm_proto', [context('skb')], INTEGER, { run: getRouteRealm })],
    available: [to([...TC_TYPES, ...LWT_TYPES], 'bpf_get_route_realm_proto')],
  },
  {
    id: 69,
    name: 'bpf_fib_lookup',
    summary: 'Looks a route up.',
    protos: [
      ...protos(
        ['bpf_skb_fib_lookup_proto', 'bpf_xdp_fib_lookup_proto'],
        [context('ctx'), memory('params', 'MEM_WRITE'), size('plen'), anything('flags')],
        INTEGER,
        { gplOnly: true },
      ),
    ],
    available: [to(TC_TYPES, 'bpf_skb_fib_lookup_proto'), to(['xdp'], 'bpf_xdp_fib_lookup_proto')],
  },
  {
    id: 163,
    name: 'bpf_check_mtu',
    summary: 'Whether a packet fits through a device.',
    protos: [
      proto('bpf_skb_check_mtu_proto', CHECK_MTU_ARGS, INTEGER, { gplOnly: true, run: skbCheckMtu }),
      proto('bpf_xdp_check_mtu_proto', CHECK_MTU_ARGS, INTEGER, { gplOnly: true, run: xdpCheckMtu }),
    ],
    available: [to(TC_TYPES, 'bpf_skb_check_mtu_proto'), to(['xdp'], 'bpf_xdp_check_mtu_proto')],
  },
];
