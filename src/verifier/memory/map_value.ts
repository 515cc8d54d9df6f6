import { BPF_KPTR, FIELD_BITS, type Field, fieldTypeName, recordFind } from '../../btf/special.ts';
import { Reject } from '../../contracts/errors.ts';
import type { Env } from '../env.ts';
import { checkKptrAccess } from '../objects/kptr.ts';
import { constScalar, isConst, type Scalar } from '../scalar/scalar.ts';
import { markRegUnknown, setRegTo } from '../state/access.ts';
import type { MapInfo } from '../state/map_info.ts';
import { mapOf, type Reg, scalarReg } from '../state/reg.ts';
import { isPointerValue } from '../state/trust.ts';
import { checkMemRegionAccess, signedNumber, unsignedNumber } from './region.ts';

/** Loads and stores of map values. Source: check_map_access and the PTR_TO_MAP_VALUE arm of check_mem_access. */

const BPF_F_RDONLY_PROG = 1 << 7;
const BPF_F_WRONLY_PROG = 1 << 8;

/** Who accesses: an instruction, or a helper through an argument. */
export type AccessSource = 'direct' | 'helper';

/** The map's flags for programs (check_map_access_type). */
export function checkMapAccessType(env: Env, regno: number, off: number, size: number, write: boolean): void {
  const { def, flags } = mapOf(env.cur.top.regs[regno] as Reg);
  if (write && (flags & BPF_F_RDONLY_PROG) !== 0)
    env.reject('EACCES', `write into map forbidden, value_size=${def.valueSize} off=${off} size=${size}`);
  if (!write && (flags & BPF_F_WRONLY_PROG) !== 0)
    env.reject('EACCES', `read from map forbidden, value_size=${def.valueSize} off=${off} size=${size}`);
}

const POINTER_FIELDS = BPF_KPTR | FIELD_BITS.BPF_UPTR;

/** A kernel pointer in a value may be loaded and stored whole, by an instruction; no other special field may be touched. */
function checkField(env: Env, reg: Reg, field: Field, off: number, size: number, source: AccessSource): void {
  const name = fieldTypeName(field.type);
  if ((FIELD_BITS[field.type] & POINTER_FIELDS) === 0) env.reject('EACCES', `${name} cannot be accessed directly by load/store`);
  if (source !== 'direct') env.reject('EACCES', `${name} cannot be accessed indirectly by helper`);
  if (!isConst(reg.scalar)) env.reject('EACCES', `${name} access cannot have variable offset`);
  const at = off + signedNumber(reg.scalar.valueLo, reg.scalar.valueHi);
  if (field.offset !== at) env.reject('EACCES', `${name} access misaligned expected=${field.offset} off=${at}`);
  if (size !== 8) env.reject('EACCES', `${name} access size must be BPF_DW`);
}

/** The access lies in the value and touches no special field (check_map_access). */
export function checkMapAccess(
  env: Env,
  regno: number,
  off: number,
  size: number,
  zeroSizeOk: boolean,
  source: AccessSource,
): void {
  const reg = env.cur.top.regs[regno] as Reg;
  const { def, record } = mapOf(reg);
  checkMemRegionAccess(env, regno, off, size, def.valueSize, zeroSizeOk);
  if (!record) return;
  const min = signedNumber(reg.scalar.sminLo, reg.scalar.sminHi) + off;
  const max = unsignedNumber(reg.scalar.umaxLo, reg.scalar.umaxHi) + off + size;
  for (const field of record.fields)
    if (min < field.offset + field.size && field.offset < max) checkField(env, reg, field, off, size, source);
}

/** As `checkMapAccess`, but tells instead of refusing; what it would say is logged all the same. */
export function mayAccessMap(env: Env, regno: number, off: number, size: number, source: AccessSource): boolean {
  try {
    checkMapAccess(env, regno, off, size, false, source);
    return true;
  } catch (error) {
    if (error instanceof Reject) return false;
    throw error;
  }
}

const BYTES: Readonly<Record<number, (view: DataView, at: number, signed: boolean) => number>> = {
  1: (view, at, signed) => (signed ? view.getInt8(at) : view.getUint8(at)),
  2: (view, at, signed) => (signed ? view.getInt16(at, true) : view.getUint16(at, true)),
  4: (view, at) => view.getInt32(at, true),
};

/** The constant that stands in a frozen read-only map (bpf_map_direct_read). */
function constantAt(map: MapInfo, off: number, size: number, signExtends: boolean): Scalar {
  const bytes = map.def.initial ?? new Uint8Array(map.def.valueSize);
  const padded = bytes.length >= off + size ? bytes : new Uint8Array([...bytes, ...new Array<number>(off + size).fill(0)]);
  const view = new DataView(padded.buffer, padded.byteOffset);
  if (size === 8) return constScalar(view.getInt32(off, true), view.getInt32(off + 4, true));
  const value = BYTES[size]?.(view, off, signExtends) ?? 0;
  return constScalar(value | 0, signExtends ? (value | 0) >> 31 : 0);
}

/** A load or store through a pointer to a map value; `off` includes the fixed offset of the pointer. */
export function checkMapValueAccess(
  env: Env,
  regno: number,
  off: number,
  size: number,
  write: boolean,
  valueRegno: number,
  insnIdx: number,
  signExtends: boolean,
): void {
  if (write && valueRegno >= 0 && isPointerValue(env, valueRegno)) env.reject('EACCES', `R${valueRegno} leaks addr into map`);
  checkMapAccessType(env, regno, off, size, write);
  checkMapAccess(env, regno, off, size, false, 'direct');
  const reg = env.cur.top.regs[regno] as Reg;
  const map = mapOf(reg);
  const isFixed = isConst(reg.scalar);
  const at = off + reg.scalar.valueLo;
  const field = isFixed && map.record ? recordFind(map.record, at, POINTER_FIELDS) : undefined;
  if (field) checkKptrAccess(env, regno, valueRegno, insnIdx, field);
  else if (!write && valueRegno >= 0) {
    if (isFixed && map.constant && map.type.directValue)
      setRegTo(env, env.cur.writableTop(), valueRegno, scalarReg(constantAt(map, at, size, signExtends)));
    else markRegUnknown(env, env.cur.writableTop(), valueRegno);
  }
}
