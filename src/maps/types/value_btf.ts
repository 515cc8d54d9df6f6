/** The BTF of keys and values: map_check_btf() of kernel/bpf/syscall.c and the map_check_btf operations. */
import type { Btf } from '../../btf/btf.ts';
import { type BtfType, isRegularInt } from '../../btf/types.ts';
import type { ErrnoName } from '../../contracts/errors.ts';
import type { MapDef } from '../../program/program.ts';

/** The operation of a map type; null means that there is none. */
export type KeyCheck = (def: MapDef, btf: Btf, key: BtfType, value: BtfType) => ErrnoName | null;

interface SizedType {
  readonly type: BtfType;
  readonly size: number;
}

/** btf_type_id_size, kernel/bpf/btf.c: modifiers and variables are followed; undefined for a type without a size. */
function sized(btf: Btf, id: number): SizedType | undefined {
  if (btf.typeOrUndefined(id) === undefined) return undefined;
  let type = btf.skipModifiers(id);
  if (type.kind === 'VAR') type = btf.skipModifiers(type.type);
  const size = type.kind === 'DATASEC' ? type.size : btf.sizeOf(type.id);
  return size === undefined ? undefined : { type, size };
}

/** Key and value types have the map's sizes, and the map type's own check takes them. */
export function checkKeyAndValue(def: MapDef, keyCheck: KeyCheck | null): ErrnoName | null {
  if (def.btf === null || def.btfValueTypeId === 0) return null;
  const key = def.btfKeyTypeId === 0 ? { type: def.btf.type(0), size: 0 } : sized(def.btf, def.btfKeyTypeId);
  if (key === undefined) return 'EINVAL';
  if (def.btfKeyTypeId === 0 ? keyCheck === null : key.size !== def.keySize) return 'EINVAL';
  const value = sized(def.btf, def.btfValueTypeId);
  if (value === undefined || value.size !== def.valueSize) return 'EINVAL';
  return keyCheck === null ? null : keyCheck(def, def.btf, key.type, value.type);
}

function isInt(type: BtfType, bytes: number): boolean {
  return type.kind === 'INT' && isRegularInt(type, bytes);
}

/** map_check_no_btf */
export const noBtf: KeyCheck = () => 'ENOTSUPP';

/** arena_map_check_btf */
export const anyBtf: KeyCheck = () => null;

/** bpf_local_storage_map_check_btf */
export const int32Key: KeyCheck = (_def, _btf, key) => (isInt(key, 4) ? null : 'EINVAL');

const BPF_MAP_TYPE_ARRAY = 2;

/** array_map_check_btf: a 4-byte integer key; a keyless data section only as an array of one. */
export const arrayKey: KeyCheck = (def, btf, key, value) => {
  if (key.kind !== 'VOID') return int32Key(def, btf, key, value);
  return def.type === BPF_MAP_TYPE_ARRAY && def.maxEntries === 1 && value.kind === 'DATASEC' ? null : 'EINVAL';
};

/** trie_check_btf: the key embeds struct bpf_lpm_trie_key_u8. */
export const structKey: KeyCheck = (_def, _btf, key) => (key.kind === 'STRUCT' ? null : 'EINVAL');

/** bloom_map_check_btf */
export const noKey: KeyCheck = (_def, _btf, key) => (key.kind === 'VOID' ? null : 'EINVAL');

/** sizeof(struct bpf_cgroup_storage_key) */
const CGROUP_STORAGE_KEY = 16;

/** btf_member_is_reg_int: a member that is a plain integer of `bytes` bytes at `offset`. */
function isIntMember(btf: Btf, key: BtfType, index: number, offset: number, bytes: number): boolean {
  if (key.kind !== 'STRUCT') return false;
  const member = key.members[index];
  if (member === undefined || member.bitOffset !== 8 * offset) return false;
  if (member.bitfieldSize !== 0 && member.bitfieldSize !== 8 * bytes) return false;
  return isInt(btf.skipModifiers(member.type), bytes);
}

/** cgroup_storage_check_btf: a cgroup id, or a struct of cgroup id and attach type. */
export const cgroupStorageKey: KeyCheck = (def, btf, key) => {
  if (def.keySize !== CGROUP_STORAGE_KEY) return isInt(key, 8) ? null : 'EINVAL';
  if (key.kind !== 'STRUCT' || key.members.length !== 2) return 'EINVAL';
  return isIntMember(btf, key, 0, 0, 8) && isIntMember(btf, key, 1, 8, 4) ? null : 'EINVAL';
};
