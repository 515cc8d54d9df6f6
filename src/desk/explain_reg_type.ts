import { REG_BASES, TYPE_FLAGS, type TypeFlag } from '../contracts/type_words.ts';
import { regTypeText } from '../verifier/log/state_lines.ts';
import type { Explanation } from './explain.ts';

type RegBase = (typeof REG_BASES)[number];

const BASES: Readonly<Record<RegBase, string>> = {
  NOT_INIT: 'Nothing was written to it yet, or a call has clobbered it: it cannot be read.',
  SCALAR_VALUE: 'A number; what is known of it are bits and bounds.',
  PTR_TO_CTX: 'The context of the program, of which only some fields may be touched.',
  CONST_PTR_TO_MAP: 'A map, to be passed to helpers.',
  PTR_TO_MAP_VALUE: 'Into a value of a map; accesses stay inside it.',
  PTR_TO_MAP_KEY: 'Into a key of a map, in callbacks of bpf_for_each_map_elem.',
  PTR_TO_STACK: 'Into the stack of the program or of a caller.',
  PTR_TO_PACKET_META: 'Into the metadata in front of the packet; up to data after a comparison with it.',
  PTR_TO_PACKET: 'Into the packet; as far as a comparison with data_end has shown it to reach.',
  PTR_TO_PACKET_END: 'Behind the last byte of the packet: only compared with.',
  PTR_TO_FLOW_KEYS: 'struct bpf_flow_keys of a flow dissector.',
  PTR_TO_SOCKET: 'A full socket, struct bpf_sock.',
  PTR_TO_SOCK_COMMON: 'A socket of any state: the first fields of struct bpf_sock.',
  PTR_TO_TCP_SOCK: 'struct bpf_tcp_sock.',
  PTR_TO_TP_BUFFER: 'The writable buffer of a raw tracepoint.',
  PTR_TO_XDP_SOCK: 'struct bpf_xdp_sock.',
  PTR_TO_BTF_ID: 'A struct of the kernel, or of the program, by BTF. Loads of kernel structs cannot fault.',
  PTR_TO_MEM: 'Into memory of a known size.',
  PTR_TO_ARENA: 'Into an arena; loads of what is not there give 0.',
  PTR_TO_BUF: 'Into a buffer whose size is checked when the program is attached.',
  PTR_TO_FUNC: 'A function of the program, to be passed as a callback.',
  CONST_PTR_TO_DYNPTR: 'A dynptr that a callback or a global function was given.',
};

const FLAGS: Readonly<Record<TypeFlag, string>> = {
  PTR_MAYBE_NULL: 'Has to be compared with NULL before it is used.',
  MEM_RDONLY: 'Is not written through.',
  MEM_RINGBUF: 'A record of a ring buffer.',
  MEM_USER: 'User memory: only helpers read it.',
  MEM_PERCPU: 'Has a copy for each CPU: bpf_per_cpu_ptr or bpf_this_cpu_ptr gives one.',
  OBJ_RELEASE: 'Of arguments: the call gives the reference back.',
  PTR_UNTRUSTED: 'May be stale or wrong: it is read, not passed on.',
  MEM_UNINIT: 'Of arguments: the call writes it; it need not be initialised.',
  DYNPTR_TYPE_LOCAL: 'Of dynptrs: over memory of the program.',
  DYNPTR_TYPE_RINGBUF: 'Of dynptrs: over a record of a ring buffer.',
  MEM_FIXED_SIZE: 'Of arguments: of a size that the prototype says.',
  MEM_ALLOC: 'An object that the program has allocated.',
  PTR_TRUSTED: 'Valid while the program holds it: may be passed to kfuncs.',
  MEM_RCU: 'Valid in the RCU section it was read in.',
  NON_OWN_REF: 'An object in a list or tree, of which the lock is held; the program does not own it.',
  DYNPTR_TYPE_SKB: 'Of dynptrs: over an skb.',
  DYNPTR_TYPE_XDP: 'Of dynptrs: over an XDP frame.',
  MEM_ALIGNED: 'Of arguments: has to be aligned to its size.',
  MEM_WRITE: 'Of arguments: the call writes it.',
  DYNPTR_TYPE_SKB_META: 'Of dynptrs: over the metadata of an skb.',
};

/** A register type by its name in the kernel or in a log, or a flag that comes on top of one. */
export function explainRegType(word: string): Explanation[] {
  const bare = word.replace(/_or_null$/, '');
  const found = REG_BASES.filter((base, number) => base === word.toUpperCase() || regTypeText(number) === bare);
  const bases = found.map((name): Explanation => {
    const number = REG_BASES.indexOf(name);
    const facts: [string, string][] = [
      ['number', String(number)],
      ['in logs', regTypeText(number)],
    ];
    if (bare !== word) facts.push(['_or_null', FLAGS.PTR_MAYBE_NULL]);
    return { kind: 'register type', name, summary: BASES[name], facts };
  });
  const flag = (Object.keys(TYPE_FLAGS) as TypeFlag[]).find((name) => name === word.toUpperCase());
  if (flag === undefined) return bases;
  return [
    ...bases,
    { kind: 'register type', name: flag, summary: FLAGS[flag], facts: [['bit', String(Math.log2(TYPE_FLAGS[flag]))]] },
  ];
}
