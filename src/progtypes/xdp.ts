import { type ContextTable, contextTable, PACKET, PACKET_END, PACKET_META, whole } from './context_table.ts';
import { attachTypes, progType, section } from './define.ts';
import { CONNTRACK_WRITES } from './struct_writes.ts';

const packetRead = { sizes: [4], noSignExtend: true } as const;

/** xdp_is_valid_access, net/core/filter.c. Writing `rx_queue_index` needs a program offloaded to a device. */
const XDP_MD: ContextTable = contextTable(24, [
  { name: 'data', off: 0, size: 4, read: packetRead, reg: PACKET },
  { name: 'data_end', off: 4, size: 4, read: packetRead, reg: PACKET_END },
  { name: 'data_meta', off: 8, size: 4, read: packetRead, reg: PACKET_META },
  { name: 'ingress_ifindex', off: 12, size: 4, read: whole(4) },
  { name: 'rx_queue_index', off: 16, size: 4, read: whole(4) },
  { name: 'egress_ifindex', off: 20, size: 4, read: whole(4), attachTypes: attachTypes('BPF_XDP_DEVMAP') },
]);

export const xdp = progType({
  id: 6,
  name: 'xdp',
  sections: [
    section('xdp.frags/devmap', 'BPF_XDP_DEVMAP', 'SEC_XDP_FRAGS'),
    section('xdp/devmap', 'BPF_XDP_DEVMAP', 'SEC_ATTACHABLE'),
    section('xdp.frags/cpumap', 'BPF_XDP_CPUMAP', 'SEC_XDP_FRAGS'),
    section('xdp/cpumap', 'BPF_XDP_CPUMAP', 'SEC_ATTACHABLE'),
    section('xdp.frags', 'BPF_XDP', 'SEC_XDP_FRAGS'),
    section('xdp', 'BPF_XDP', 'SEC_ATTACHABLE', 'SEC_EXP_ATTACH_OPT'),
  ],
  contextStruct: 'xdp_md',
  kernelContextStruct: 'xdp_buff',
  context: XDP_MD,
  packet: 'read-write',
  needs: ['net_admin'],
  structWrites: CONNTRACK_WRITES,
  rewritesContext: true,
  ops: 'xdp_verifier_ops',
  summary: 'decides about a frame in the driver, before the kernel makes an sk_buff of it',
});
