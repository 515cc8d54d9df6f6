import type { Btf } from '../btf/btf.ts';
import type { Member } from '../btf/types.ts';
import { MAP_TYPES } from '../contracts/uapi_numbers.ts';
import { parseWord64, toBigIntSigned } from '../isa/word64.ts';
import type { AttachTarget, MapSlot } from '../program/program.ts';
import type { Diagnostics, Position } from './diagnostics.ts';
import type { Word } from './directive.ts';
import type { MapDraft } from './map_table.ts';
import type { StructOpsOutline } from './outline.ts';

/** The member of a struct_ops type that a program implements. */
export interface StructOpsRole {
  readonly attach: AttachTarget;
  /** index of the member, which the kernel takes as the attach type */
  readonly member: number;
}

const VALUE_PREFIX = 'bpf_struct_ops_';

/** Writes a number or a string over a member that is no function; false when it cannot be done. */
const writeMember = (btf: Btf, member: Member, word: Word, into: Uint8Array, base: number): boolean => {
  const type = btf.skipModifiers(member.type);
  const at = base + (member.bitOffset >> 3);
  const size = btf.sizeOf(member.type);
  if (size === undefined || member.bitfieldSize !== 0) return false;
  if (word.quoted) {
    const text = new TextEncoder().encode(word.text);
    if (type.kind !== 'ARRAY' || text.length > size) return false;
    into.set(text, at);
    return true;
  }
  const value = parseWord64(word.text);
  if (value === null || size > 8 || type.kind === 'PTR') return false;
  const bits = toBigIntSigned(value.lo, value.hi);
  for (let i = 0; i < size; i++) into[at + i] = Number(BigInt.asUintN(8, bits >> BigInt(8 * i)));
  return true;
};

/**
 * Reads `.struct_ops NAME TYPE member=PROGRAM …`; `roles` learns what each program implements.
 * Source: bpf_map__init_kern_struct_ops, tools/lib/bpf/libbpf.c.
 */
export function readStructOps(
  outline: StructOpsOutline,
  kernel: Btf,
  programs: ReadonlySet<string>,
  roles: Map<string, StructOpsRole>,
  diagnostics: Diagnostics,
): MapDraft | null {
  const { name, type, members, at } = outline;
  const place = (word: Word): Position => ({ line: at.line, column: at.column + word.column });
  const struct = kernel.findByName(type.text, 'STRUCT');
  const value = kernel.findByName(VALUE_PREFIX + type.text, 'STRUCT');
  const data = value?.members.find((member) => member.type === struct?.id);
  if (struct === undefined || value === undefined || data === undefined) {
    diagnostics.add(`the kernel has no struct_ops type '${type.text}'`, place(type));
    return null;
  }
  const initial = new Uint8Array(value.size);
  const slots: MapSlot[] = [];
  for (const [key, word] of members) {
    const index = struct.members.findIndex((member) => member.name === key);
    const member = struct.members[index];
    if (member === undefined) {
      diagnostics.add(`struct ${type.text} has no member '${key}'`, place(word));
    } else if (kernel.resolvePtr(member.type)?.kind === 'FUNC_PROTO') {
      if (!programs.has(word.text)) diagnostics.add(`no program '${word.text}'`, place(word));
      slots.push({ index, name: word.text, kind: 'program' });
      roles.set(word.text, { attach: { name: struct.name, btfId: struct.id, program: null }, member: index });
    } else if (!writeMember(kernel, member, word, initial, data.bitOffset >> 3)) {
      diagnostics.add(`'${word.text}' does not fit member '${key}'`, place(word));
    }
  }
  return {
    def: {
      name,
      type: MAP_TYPES.struct_ops,
      keySize: 4,
      valueSize: value.size,
      maxEntries: 1,
      flags: 0,
      mapExtra: 0n,
      btfKeyTypeId: 0,
      btfValueTypeId: 0,
      btfVmlinuxValueTypeId: value.id,
      initial,
      frozen: false,
      slots,
      section: '.struct_ops',
    },
    inner: null,
    isTemplate: false,
    at,
  };
}
