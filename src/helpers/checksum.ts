import type { Helper } from '../contracts/helper.ts';
import { LWT_TYPES, TC_TYPES, to } from './availability.ts';
import { csumDiff, csumLevel, csumUpdate, l3CsumReplace, l4CsumReplace } from './run/checksum.ts';
import { anything, context, INTEGER, memory, proto, sizeOrZero } from './spec.ts';

/** Checksums. */
export const checksumHelpers: readonly Helper[] = [
  {
    id: 10,
    name: 'bpf_l3_csum_replace',
    summary: 'Updates the checksum of a network header after a change.',
    protos: [
      proto(
        'bpf_l3_csum_replace_proto',
        [context('skb'), anything('offset'), anything('from'), anything('to'), anything('size')],
        INTEGER,
        { run: l3CsumReplace },
      ),
    ],
    available: [to([...TC_TYPES, 'lwt_xmit'], 'bpf_l3_csum_replace_proto')],
    effects: { changesPacketData: true },
  },
  {
    id: 11,
    name: 'bpf_l4_csum_replace',
    summary: 'Updates the checksum of a transport header after a change.',
    protos: [
      proto(
        'bpf_l4_csum_replace_proto',
        [context('skb'), anything('offset'), anything('from'), anything('to'), anything('flags')],
        INTEGER,
        { run: l4CsumReplace },
      ),
    ],
    available: [to([...TC_TYPES, 'lwt_xmit'], 'bpf_l4_csum_replace_proto')],
    effects: { changesPacketData: true },
  },
  {
    id: 28,
    name: 'bpf_csum_diff',
    summary: 'Difference of the checksums of two buffers.',
    protos: [
      proto(
        'bpf_csum_diff_proto',
        [
          memory('from', 'PTR_MAYBE_NULL', 'MEM_RDONLY'),
          sizeOrZero('from_size'),
          memory('to', 'PTR_MAYBE_NULL', 'MEM_RDONLY'),
          sizeOrZero('to_size'),
          anything('seed'),
        ],
        INTEGER,
        { packetAccess: true, run: csumDiff },
      ),
    ],
    available: [to(['xdp', ...TC_TYPES, ...LWT_TYPES], 'bpf_csum_diff_proto')],
  },
  {
    id: 40,
    name: 'bpf_csum_update',
    summary: 'Adds to the checksum that the device computed.',
    protos: [proto('bpf_csum_update_proto', [context('skb'), anything('csum')], INTEGER, { run: csumUpdate })],
    available: [to([...TC_TYPES, 'lwt_xmit'], 'bpf_csum_update_proto')],
  },
  {
    id: 135,
    name: 'bpf_csum_level',
    summary: 'Changes or asks how many checksums are already verified.',
    protos: [proto('bpf_csum_level_proto', [context('skb'), anything('level')], INTEGER, { run: csumLevel })],
    available: [to([...TC_TYPES, 'lwt_xmit'], 'bpf_csum_level_proto')],
  },
];
