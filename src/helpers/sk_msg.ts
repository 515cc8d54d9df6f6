import type { Helper } from '../contracts/helper.ts';
import { to } from './availability.ts';
import { anything, context, INTEGER, proto } from './spec.ts';

/** Messages of sockets. */
export const skMsgHelpers: readonly Helper[] = [
  {
    id: 61,
    name: 'bpf_msg_apply_bytes',
    summary: 'Applies the verdict to a number of bytes.',
    protos: [proto('bpf_msg_apply_bytes_proto', [context('msg'), anything('bytes')], INTEGER)],
    available: [to(['sk_msg'], 'bpf_msg_apply_bytes_proto')],
  },
  {
    id: 62,
    name: 'bpf_msg_cork_bytes',
    summary: 'Waits for a number of bytes before the next verdict.',
    protos: [proto('bpf_msg_cork_bytes_proto', [context('msg'), anything('bytes')], INTEGER)],
    available: [to(['sk_msg'], 'bpf_msg_cork_bytes_proto')],
  },
  {
    id: 63,
    name: 'bpf_msg_pull_data',
    summary: 'Makes a range of a message directly accessible.',
    protos: [proto('bpf_msg_pull_data_proto', [context('msg'), anything('start'), anything('end'), anything('flags')], INTEGER)],
    available: [to(['sk_msg'], 'bpf_msg_pull_data_proto')],
    effects: { changesPacketData: true },
  },
  {
    id: 90,
    name: 'bpf_msg_push_data',
    summary: 'Inserts room into a message.',
    protos: [proto('bpf_msg_push_data_proto', [context('msg'), anything('start'), anything('len'), anything('flags')], INTEGER)],
    available: [to(['sk_msg'], 'bpf_msg_push_data_proto')],
    effects: { changesPacketData: true },
  },
  {
    id: 91,
    name: 'bpf_msg_pop_data',
    summary: 'Removes bytes from a message.',
    protos: [proto('bpf_msg_pop_data_proto', [context('msg'), anything('start'), anything('len'), anything('flags')], INTEGER)],
    available: [to(['sk_msg'], 'bpf_msg_pop_data_proto')],
    effects: { changesPacketData: true },
  },
];
