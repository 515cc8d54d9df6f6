import { PROG_TYPES } from '../contracts/uapi_numbers.ts';

const XDP = ['XDP_ABORTED', 'XDP_DROP', 'XDP_PASS', 'XDP_TX', 'XDP_REDIRECT'];
const TC = [
  'TC_ACT_OK',
  'TC_ACT_RECLASSIFY',
  'TC_ACT_SHOT',
  'TC_ACT_PIPE',
  'TC_ACT_STOLEN',
  'TC_ACT_QUEUED',
  'TC_ACT_REPEAT',
  'TC_ACT_REDIRECT',
  'TC_ACT_TRAP',
];
const SK = ['SK_DROP', 'SK_PASS'];
const NETFILTER = ['NF_DROP', 'NF_ACCEPT', 'NF_STOLEN', 'NF_QUEUE', 'NF_REPEAT', 'NF_STOP'];
const LWT: Readonly<Record<number, string>> = {
  0: 'BPF_OK',
  2: 'BPF_DROP',
  7: 'BPF_REDIRECT',
  128: 'BPF_LWT_REROUTE',
};
const DISSECTOR: Readonly<Record<number, string>> = { 0: 'BPF_OK', 2: 'BPF_DROP', 129: 'BPF_FLOW_DISSECTOR_CONTINUE' };

/** What a return value is called for a program type; null where it has no name. Source: include/uapi/linux/bpf.h and pkt_cls.h. */
export function returnName(progType: number, value: number): string | null {
  const code = value | 0;
  switch (progType) {
    case PROG_TYPES.xdp:
      return XDP[code] ?? null;
    case PROG_TYPES.sched_cls:
    case PROG_TYPES.sched_act:
      return code === -1 ? 'TC_ACT_UNSPEC' : (TC[code] ?? null);
    case PROG_TYPES.sk_skb:
    case PROG_TYPES.sk_msg:
    case PROG_TYPES.sk_lookup:
    case PROG_TYPES.sk_reuseport:
      return SK[code] ?? null;
    case PROG_TYPES.netfilter:
      return NETFILTER[code] ?? null;
    case PROG_TYPES.lwt_in:
    case PROG_TYPES.lwt_out:
    case PROG_TYPES.lwt_xmit:
      return LWT[code] ?? null;
    case PROG_TYPES.flow_dissector:
      return DISSECTOR[code] ?? null;
    default:
      return null;
  }
}
