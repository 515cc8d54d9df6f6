/**
 * Writes through BTF pointers. Sources: bpf_tcp_ca_btf_struct_access(), net/ipv4/bpf_tcp_ca.c;
 * _nf_conntrack_btf_struct_access(), net/netfilter/nf_conntrack_bpf.c; bpf_dummy_ops_btf_struct_access(),
 * net/bpf/bpf_dummy_struct_ops.c.
 */
import type { Btf } from '../btf/btf.ts';
import { isStruct, type StructType } from '../btf/types.ts';
import type { StructWriteRule, WritableField } from '../contracts/prog_type.ts';

/** `struct nf_conn` and its not yet inserted form: the mark of a connection. */
export const CONNTRACK_WRITES: StructWriteRule = {
  structs: ['nf_conn', 'nf_conn___init'],
  otherStruct: 'only read is supported',
  label: 'nf_conn',
  fields: [{ struct: 'nf_conn', path: 'mark' }],
};

/** Bytes from the start of the struct. */
interface Extent {
  readonly off: number;
  readonly end: number;
  readonly type: number;
}

function memberOf(btf: Btf, struct: StructType, name: string): Extent | undefined {
  for (const member of struct.members) {
    const off = member.bitOffset / 8;
    if (member.name === name) return { off, end: off + (btf.sizeOf(member.type) ?? 0), type: member.type };
    const inner = member.name === '' ? btf.skipModifiers(member.type) : undefined;
    const found = inner !== undefined && isStruct(inner) ? memberOf(btf, inner, name) : undefined;
    if (found !== undefined) return { off: off + found.off, end: off + found.end, type: found.type };
  }
  return undefined;
}

function extentOf(btf: Btf, field: WritableField): Extent | undefined {
  let struct: StructType | undefined = btf.findByName(field.struct, 'STRUCT');
  let found: Extent | undefined;
  for (const name of field.path.split('.')) {
    const next = struct === undefined ? undefined : memberOf(btf, struct, name);
    if (next === undefined) return undefined;
    const base: number = found?.off ?? 0;
    found = { off: base + next.off, end: base + next.end, type: next.type };
    const type = btf.skipModifiers(next.type);
    struct = isStruct(type) ? type : undefined;
  }
  return found;
}

function endOfWritable(btf: Btf, fields: readonly WritableField[], off: number): number | undefined {
  for (const field of fields) {
    const extent = extentOf(btf, field);
    if (extent === undefined) continue;
    if (field.anywhere === true ? off >= extent.off && off < extent.end : off === extent.off) return extent.end;
  }
  return undefined;
}

/** Why a program may not write `size` bytes at `off` of a struct: the log line; null when it may. The errno is EACCES. */
export function checkStructWrite(rule: StructWriteRule, btf: Btf, struct: StructType, off: number, size: number): string | null {
  if (!rule.structs.includes(struct.name)) return rule.otherStruct;
  if (rule.fields === 'whole') return off + size > struct.size ? `write access at off ${off} with size ${size}` : null;
  const end = endOfWritable(btf, rule.fields, off);
  if (end === undefined) return `no write support to ${rule.label} at off ${off}`;
  if (off + size <= end) return null;
  return `write access at off ${off} with size ${size} beyond the member of ${rule.label} ended at ${end}`;
}
