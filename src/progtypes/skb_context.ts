/**
 * `struct __sk_buff` as each program type sees it: one layout, one rule per field (bpf_skb_is_valid_access), and per program
 * type which fields are hidden, which may be written, and what the packet fields are.
 */
import type { AccessRule, ContextField } from '../contracts/prog_type.ts';
import type { RegTypeWords } from '../contracts/type_words.ts';
import {
  ANY_SIZE,
  atStart,
  type ContextTable,
  contextTable,
  narrow,
  PACKET,
  PACKET_END,
  PACKET_META,
  SOCK_COMMON_OR_NULL,
  whole,
} from './context_table.ts';

interface SkbField {
  readonly off: number;
  readonly size: number;
  readonly read: AccessRule;
  /** permitted write where the program type allows one; absent: never */
  readonly write?: AccessRule;
  readonly reg?: RegTypeWords;
}

function u32(off: number): SkbField {
  return { off, size: 4, read: narrow(4), write: whole(4) };
}

/** Addresses of the socket: no narrow loads. */
function wholeWords(off: number, words: number): SkbField {
  return { off, size: 4 * words, read: whole(4) };
}

function packetField(off: number, reg: RegTypeWords): SkbField {
  return { off, size: 4, read: { sizes: [4], noSignExtend: true }, reg };
}

const SKB_FIELDS = {
  len: u32(0),
  pkt_type: u32(4),
  mark: u32(8),
  queue_mapping: u32(12),
  protocol: u32(16),
  vlan_present: u32(20),
  vlan_tci: u32(24),
  vlan_proto: u32(28),
  priority: u32(32),
  ingress_ifindex: u32(36),
  ifindex: u32(40),
  tc_index: u32(44),
  cb: { off: 48, size: 20, read: ANY_SIZE, write: ANY_SIZE },
  hash: u32(68),
  tc_classid: u32(72),
  data: packetField(76, PACKET),
  data_end: packetField(80, PACKET_END),
  napi_id: u32(84),
  family: u32(88),
  remote_ip4: wholeWords(92, 1),
  local_ip4: wholeWords(96, 1),
  remote_ip6: wholeWords(100, 4),
  local_ip6: wholeWords(116, 4),
  remote_port: u32(132),
  local_port: u32(136),
  data_meta: packetField(140, PACKET_META),
  flow_keys: { off: 144, size: 8, read: whole(8), reg: { base: 'PTR_TO_FLOW_KEYS' } },
  tstamp: { off: 152, size: 8, read: whole(8), write: whole(8) },
  wire_len: u32(160),
  gso_segs: u32(164),
  sk: { off: 168, size: 8, read: whole(8), reg: SOCK_COMMON_OR_NULL },
  gso_size: u32(176),
  tstamp_type: { off: 180, size: 1, read: atStart(whole(1)) },
  hwtstamp: { off: 184, size: 8, read: whole(8) },
} as const satisfies Record<string, SkbField>;

export type SkbFieldName = keyof typeof SKB_FIELDS;

export const SK_BUFF_SIZE = 192;

/** Fields of the socket that the packet belongs to. */
export const SKB_SOCKET_FIELDS: readonly SkbFieldName[] = [
  'family',
  'remote_ip4',
  'local_ip4',
  'remote_ip6',
  'local_ip6',
  'remote_port',
  'local_port',
];

export interface SkbView {
  readonly hidden: readonly SkbFieldName[];
  readonly writable: readonly SkbFieldName[];
  /** fields hidden from a loader without CAP_BPF */
  readonly needCapBpf?: readonly SkbFieldName[];
  /** fields that only a loader with CAP_BPF may write */
  readonly writesNeedCapBpf?: readonly SkbFieldName[];
}

function skbRows(name: SkbFieldName, view: SkbView): ContextField[] {
  const field: SkbField = SKB_FIELDS[name];
  const place = { name, off: field.off, size: field.size };
  const needsCapBpf = view.needCapBpf?.includes(name) ?? false;
  const rows: ContextField[] = [
    {
      ...place,
      read: field.read,
      ...(field.reg === undefined ? {} : { reg: field.reg }),
      ...(needsCapBpf ? { needsCapBpf } : {}),
    },
  ];
  if (view.writable.includes(name) && field.write !== undefined) {
    const writeNeedsCapBpf = needsCapBpf || (view.writesNeedCapBpf?.includes(name) ?? false);
    rows.push({ ...place, write: field.write, ...(writeNeedsCapBpf ? { needsCapBpf: true } : {}) });
  }
  return rows;
}

/** The table of one program type's view of `__sk_buff`. */
export function skbContext(view: SkbView): ContextTable {
  const names = (Object.keys(SKB_FIELDS) as SkbFieldName[]).filter((name) => !view.hidden.includes(name));
  return contextTable(
    SK_BUFF_SIZE,
    names.flatMap((name) => skbRows(name, view)),
  );
}

/** The view that shows nothing but `names`, read only (flow_dissector_is_valid_access). */
export function skbContextOnly(names: readonly SkbFieldName[]): ContextTable {
  const hidden = (Object.keys(SKB_FIELDS) as SkbFieldName[]).filter((name) => !names.includes(name));
  return skbContext({ hidden, writable: [] });
}
