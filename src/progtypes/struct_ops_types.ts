/** The tables of functions that programs may implement. Sources: net/ipv4/bpf_tcp_ca.c, net/bpf/bpf_dummy_struct_ops.c. */
import type { StructOpsType } from '../contracts/struct_ops_type.ts';

const tcpCongestionOps: StructOpsType = {
  name: 'tcp_congestion_ops',
  valueStruct: 'bpf_struct_ops_tcp_congestion_ops',
  members: [
    'ssthresh',
    'cong_avoid',
    'set_state',
    'cwnd_event',
    'in_ack_event',
    'pkts_acked',
    'min_tso_segs',
    'cong_control',
    'undo_cwnd',
    'sndbuf_expand',
    'init',
    'release',
  ],
  stubs: new Map(),
  checkMember: () => null,
  promotes: new Map([['sock', 'tcp_sock']]),
  structWrites: {
    structs: ['tcp_sock'],
    otherStruct: 'only read is supported',
    label: 'tcp_sock',
    fields: [
      { struct: 'sock', path: 'sk_pacing_rate' },
      { struct: 'sock', path: 'sk_pacing_status' },
      { struct: 'inet_connection_sock', path: 'icsk_ca_priv', anywhere: true },
      { struct: 'inet_connection_sock', path: 'icsk_ack.pending' },
      { struct: 'tcp_sock', path: 'snd_cwnd' },
      { struct: 'tcp_sock', path: 'snd_cwnd_cnt' },
      { struct: 'tcp_sock', path: 'snd_cwnd_stamp' },
      { struct: 'tcp_sock', path: 'snd_ssthresh' },
      { struct: 'tcp_sock', path: 'ecn_flags' },
      { struct: 'tcp_sock', path: 'app_limited' },
    ],
  },
  hasHelpers: true,
  summary: 'a TCP congestion control algorithm',
};

const bpfDummyOps: StructOpsType = {
  name: 'bpf_dummy_ops',
  valueStruct: 'bpf_struct_ops_bpf_dummy_ops',
  members: ['test_1', 'test_2', 'test_sleepable'],
  stubs: new Map([['test_1', 'bpf_dummy_ops__test_1']]),
  checkMember: (member, sleepable) => (sleepable && member !== 'test_sleepable' ? 'EINVAL' : null),
  promotes: new Map(),
  structWrites: {
    structs: ['bpf_dummy_ops_state'],
    otherStruct: 'only access to bpf_dummy_ops_state is supported',
    label: 'bpf_dummy_ops_state',
    fields: 'whole',
  },
  hasHelpers: false,
  summary: 'functions that only tests call',
};

export const STRUCT_OPS_TYPES: ReadonlyMap<string, StructOpsType> = new Map(
  [tcpCongestionOps, bpfDummyOps].map((entry) => [entry.name, entry]),
);
