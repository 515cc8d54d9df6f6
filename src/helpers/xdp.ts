import type { Helper } from '../contracts/helper.ts';
import { BTF_TRACING_TYPES, to } from './availability.ts';
import { xdpAdjustHead, xdpAdjustMeta, xdpAdjustTail, xdpGetBuffLen, xdpLoadBytes, xdpStoreBytes } from './run/xdp.ts';
import { anything, context, INTEGER, input, object, output, proto, size } from './spec.ts';

/** XDP frames. */
export const xdpHelpers: readonly Helper[] = [
  {
    id: 44,
    name: 'bpf_xdp_adjust_head',
    summary: 'Moves the start of a frame.',
    protos: [proto('bpf_xdp_adjust_head_proto', [context('xdp_md'), anything('delta')], INTEGER, { run: xdpAdjustHead })],
    available: [to(['xdp'], 'bpf_xdp_adjust_head_proto')],
    effects: { changesPacketData: true },
  },
  {
    id: 54,
    name: 'bpf_xdp_adjust_meta',
    summary: 'Moves the start of the metadata in front of a frame.',
    protos: [proto('bpf_xdp_adjust_meta_proto', [context('xdp_md'), anything('delta')], INTEGER, { run: xdpAdjustMeta })],
    available: [to(['xdp'], 'bpf_xdp_adjust_meta_proto')],
    effects: { changesPacketData: true },
  },
  {
    id: 65,
    name: 'bpf_xdp_adjust_tail',
    summary: 'Moves the end of a frame.',
    protos: [proto('bpf_xdp_adjust_tail_proto', [context('xdp_md'), anything('delta')], INTEGER, { run: xdpAdjustTail })],
    available: [to(['xdp'], 'bpf_xdp_adjust_tail_proto')],
    effects: { changesPacketData: true },
  },
  {
    id: 188,
    name: 'bpf_xdp_get_buff_len',
    summary: 'Length of a frame with its fragments.',
    protos: [
      proto('bpf_xdp_get_buff_len_proto', [context('xdp_md')], INTEGER, { run: xdpGetBuffLen }),
      proto('bpf_xdp_get_buff_len_trace_proto', [object('xdp_md', 'xdp_buff')], INTEGER),
    ],
    available: [to(['xdp'], 'bpf_xdp_get_buff_len_proto'), to(BTF_TRACING_TYPES, 'bpf_xdp_get_buff_len_trace_proto')],
  },
  {
    id: 189,
    name: 'bpf_xdp_load_bytes',
    summary: 'Copies bytes out of a frame.',
    protos: [
      proto('bpf_xdp_load_bytes_proto', [context('xdp_md'), anything('offset'), output('buf'), size('len')], INTEGER, {
        run: xdpLoadBytes,
      }),
    ],
    available: [to(['xdp'], 'bpf_xdp_load_bytes_proto')],
  },
  {
    id: 190,
    name: 'bpf_xdp_store_bytes',
    summary: 'Writes bytes into a frame.',
    protos: [
      proto('bpf_xdp_store_bytes_proto', [context('xdp_md'), anything('offset'), input('buf'), size('len')], INTEGER, {
        run: xdpStoreBytes,
      }),
    ],
    available: [to(['xdp'], 'bpf_xdp_store_bytes_proto')],
  },
];
