/** Program types whose context is `struct __sk_buff`. Sources: net/core/filter.c, include/linux/bpf_types.h. */
import { ATTACH_TYPES } from '../contracts/attach_types.ts';
import { attachTypes, progType, section, ZERO_OR_ONE } from './define.ts';
import { SKB_SOCKET_FIELDS, type SkbView, skbContext, skbContextOnly } from './skb_context.ts';
import { CONNTRACK_WRITES } from './struct_writes.ts';

const SKB = { contextStruct: '__sk_buff', kernelContextStruct: 'sk_buff' } as const;

export const socketFilter = progType({
  ...SKB,
  id: 1,
  name: 'socket_filter',
  sections: [section('socket')],
  context: skbContext({
    hidden: [
      'tc_classid',
      'data',
      'data_meta',
      'data_end',
      ...SKB_SOCKET_FIELDS,
      'tstamp',
      'tstamp_type',
      'wire_len',
      'hwtstamp',
      'flow_keys',
    ],
    writable: ['cb'],
  }),
  legacyPacketLoads: true,
  unprivilegedOk: true,
  rewritesContext: true,
  ops: 'sk_filter_verifier_ops',
  summary: 'decides how many bytes of a packet a socket receives',
});

/** tc_cls_act_is_valid_access; the struct of classifiers and of actions. */
const TC_SKB = skbContext({
  hidden: [...SKB_SOCKET_FIELDS, 'flow_keys'],
  writable: ['mark', 'tc_index', 'priority', 'tc_classid', 'cb', 'tstamp', 'queue_mapping'],
});

const TC = {
  ...SKB,
  context: TC_SKB,
  packet: 'read-write',
  unclonePrologue: true,
  legacyPacketLoads: true,
  needs: ['net_admin'],
  structWrites: CONNTRACK_WRITES,
  rewritesContext: true,
  ops: 'tc_cls_act_verifier_ops',
} as const;

export const schedCls = progType({
  ...TC,
  id: 3,
  name: 'sched_cls',
  sections: [
    section('tc/ingress', 'BPF_TCX_INGRESS'),
    section('tc/egress', 'BPF_TCX_EGRESS'),
    section('tcx/ingress', 'BPF_TCX_INGRESS'),
    section('tcx/egress', 'BPF_TCX_EGRESS'),
    section('tc'),
    section('classifier'),
    section('netkit/primary', 'BPF_NETKIT_PRIMARY'),
    section('netkit/peer', 'BPF_NETKIT_PEER'),
  ],
  summary: 'classifies a packet in traffic control, on the way in or out',
});

export const schedAct = progType({
  ...TC,
  id: 4,
  name: 'sched_act',
  sections: [section('action')],
  summary: 'acts on a packet that a traffic control classifier has chosen',
});

export const cgroupSkb = progType({
  ...SKB,
  id: 8,
  name: 'cgroup_skb',
  sections: [
    section('cgroup_skb/ingress', 'BPF_CGROUP_INET_INGRESS', 'SEC_ATTACHABLE', 'SEC_EXP_ATTACH_OPT'),
    section('cgroup_skb/egress', 'BPF_CGROUP_INET_EGRESS', 'SEC_ATTACHABLE', 'SEC_EXP_ATTACH_OPT'),
    section('cgroup/skb'),
  ],
  context: skbContext({
    hidden: ['tc_classid', 'data_meta', 'wire_len', 'tstamp_type', 'flow_keys'],
    writable: ['mark', 'priority', 'cb', 'tstamp'],
    needCapBpf: ['data', 'data_end'],
    writesNeedCapBpf: ['tstamp'],
  }),
  packet: 'read',
  returnRange: (subject) => (subject.attachType === ATTACH_TYPES.BPF_CGROUP_INET_EGRESS ? { min: 0, max: 3 } : ZERO_OR_ONE),
  attachTypes: attachTypes('BPF_CGROUP_INET_INGRESS', 'BPF_CGROUP_INET_EGRESS'),
  unprivilegedOk: true,
  rewritesContext: true,
  ops: 'cg_skb_verifier_ops',
  summary: 'lets packets of the sockets of a cgroup pass or not',
});

/** lwt_is_valid_access. */
const LWT_VIEW: SkbView = {
  hidden: ['tc_classid', ...SKB_SOCKET_FIELDS, 'data_meta', 'tstamp', 'tstamp_type', 'wire_len', 'hwtstamp', 'flow_keys'],
  writable: ['mark', 'priority', 'cb'],
};

const LWT = { ...SKB, context: skbContext(LWT_VIEW), needs: ['net_admin'] } as const;

export const lwtIn = progType({
  ...LWT,
  id: 10,
  name: 'lwt_in',
  sections: [section('lwt_in')],
  packet: 'read',
  rewritesContext: true,
  ops: 'lwt_in_verifier_ops',
  summary: 'sees packets of a route that come in',
});

export const lwtOut = progType({
  ...LWT,
  id: 11,
  name: 'lwt_out',
  sections: [section('lwt_out')],
  packet: 'read',
  rewritesContext: true,
  ops: 'lwt_out_verifier_ops',
  summary: 'sees locally made packets of a route before they go out',
});

export const lwtXmit = progType({
  ...LWT,
  id: 12,
  name: 'lwt_xmit',
  sections: [section('lwt_xmit')],
  packet: 'read-write',
  unclonePrologue: true,
  rewritesContext: true,
  ops: 'lwt_xmit_verifier_ops',
  summary: 'may rewrite and redirect packets of a route when they are sent',
});

export const lwtSeg6local = progType({
  ...LWT,
  id: 19,
  name: 'lwt_seg6local',
  sections: [section('lwt_seg6local')],
  packet: 'read',
  rewritesContext: true,
  ops: 'lwt_seg6local_verifier_ops',
  summary: 'acts on an IPv6 packet at a segment routing endpoint',
});

export const skSkb = progType({
  ...SKB,
  id: 14,
  name: 'sk_skb',
  sections: [
    section('sk_skb/stream_parser', 'BPF_SK_SKB_STREAM_PARSER', 'SEC_ATTACHABLE', 'SEC_EXP_ATTACH_OPT'),
    section('sk_skb/stream_verdict', 'BPF_SK_SKB_STREAM_VERDICT', 'SEC_ATTACHABLE', 'SEC_EXP_ATTACH_OPT'),
    section('sk_skb/verdict', 'BPF_SK_SKB_VERDICT', 'SEC_ATTACHABLE', 'SEC_EXP_ATTACH_OPT'),
    section('sk_skb'),
  ],
  context: skbContext({
    hidden: ['tc_classid', 'data_meta', 'tstamp', 'tstamp_type', 'wire_len', 'hwtstamp', 'mark', 'flow_keys'],
    writable: ['tc_index', 'priority'],
  }),
  packet: 'read-write',
  unclonePrologue: true,
  needs: ['net_admin'],
  rewritesContext: true,
  ops: 'sk_skb_verifier_ops',
  summary: 'parses a stream into messages, or decides where data of a socket in a sockmap goes',
});

export const flowDissector = progType({
  id: 22,
  name: 'flow_dissector',
  sections: [section('flow_dissector', 'BPF_FLOW_DISSECTOR', 'SEC_ATTACHABLE', 'SEC_EXP_ATTACH_OPT')],
  contextStruct: '__sk_buff',
  kernelContextStruct: 'bpf_flow_dissector',
  context: skbContextOnly(['data', 'data_end', 'flow_keys']),
  packet: 'read',
  needs: ['net_admin'],
  rewritesContext: true,
  ops: 'flow_dissector_verifier_ops',
  summary: 'fills in the flow keys of a packet',
});
