import type { Btf } from '../../btf/btf.ts';
import { BtfError } from '../../btf/error.ts';
import { parseStructMetas } from '../../btf/fields.ts';
import {
  FIELD_BITS,
  type Field,
  type FieldRecord,
  type FieldType,
  fieldTypeName,
  recordFind,
  recordHas,
} from '../../btf/special.ts';
import { Unmodelled } from '../../contracts/errors.ts';
import type { Env } from '../env.ts';
import { signedNumber } from '../memory/region.ts';
import { isConst } from '../scalar/scalar.ts';
import type { MapInfo } from '../state/map_info.ts';
import { btfOf, mapOf, type Reg } from '../state/reg.ts';
import { PTR_TO_MAP_VALUE } from '../state/reg_types.ts';
import { isAllocatedObject } from './references.ts';

/** Special fields of map values and allocated objects. Source: reg_btf_record and around it, kernel/bpf/verifier.c. */

/** Characters that the kernel keeps of a map's name (BPF_OBJ_NAME_LEN without the terminator). */
const MAP_NAME_LENGTH = 15;

/** The name that the kernel's messages give a map. */
export const mapName = (map: MapInfo): string => map.def.name.slice(0, MAP_NAME_LENGTH);

type StructMetas = ReadonlyMap<number, FieldRecord>;

/** Records of the structs of a program's BTF, by the kernel BTF that they were parsed for. */
const metasOf = new WeakMap<Btf, WeakMap<Btf, StructMetas>>();

function parsed(env: Env, btf: Btf): StructMetas {
  try {
    return parseStructMetas(btf, { btf: env.profile.btf, destructors: env.profile.facts.destructors });
  } catch (error) {
    if (error instanceof BtfError) throw new Unmodelled('BTF that the kernel does not load', error.message);
    throw error;
  }
}

/** The special fields of a struct of a program's BTF that can be allocated; null for others (btf_find_struct_meta). */
export function structRecord(env: Env, btf: Btf, typeId: number): FieldRecord | null {
  const kernel = env.profile.btf;
  if (btf === kernel) return null;
  let known = metasOf.get(kernel);
  if (!known) {
    known = new WeakMap();
    metasOf.set(kernel, known);
  }
  let metas = known.get(btf);
  if (!metas) {
    metas = parsed(env, btf);
    known.set(btf, metas);
  }
  return metas.get(typeId) ?? null;
}

/** The special fields of what a register points to, null when there are none (reg_btf_record). */
export function regRecord(env: Env, reg: Reg): FieldRecord | null {
  if (reg.type === PTR_TO_MAP_VALUE) return mapOf(reg).record;
  return isAllocatedObject(reg.type) ? structRecord(env, btfOf(reg), reg.aux) : null;
}

const LOCKS = FIELD_BITS.BPF_SPIN_LOCK | FIELD_BITS.BPF_RES_SPIN_LOCK;

/** Its id tells which allocation a pointer belongs to, because that holds a lock (reg_may_point_to_spin_lock). */
export const mayPointToSpinLock = (env: Env, reg: Reg): boolean => recordHas(regRecord(env, reg), LOCKS);

const ASYNC_FIELDS = FIELD_BITS.BPF_TIMER | FIELD_BITS.BPF_WORKQUEUE | FIELD_BITS.BPF_TASK_WORK;

/** Values of the map hold something whose callback is given the map. */
export const hasAsyncField = (map: MapInfo): boolean => recordHas(map.record, ASYNC_FIELDS);

/** The field of one of these types that a register points to, `off` bytes from the start (reg_find_field_offset). */
export const fieldAt = (env: Env, reg: Reg, off: number, mask: number): Field | undefined =>
  recordFind(regRecord(env, reg), off, mask);

/** Distance of a pointer at a constant offset from the start of what it points to, in bytes. */
export const constOffset = (reg: Reg): number => signedNumber(reg.scalar.valueLo, reg.scalar.valueHi) + reg.off;

type UniqueMapField = Extract<FieldType, 'BPF_TIMER' | 'BPF_WORKQUEUE' | 'BPF_TASK_WORK'>;

const uniqueOffset = (record: FieldRecord, type: UniqueMapField): number | undefined => {
  if (type === 'BPF_TIMER') return record.timerOff;
  return type === 'BPF_WORKQUEUE' ? record.wqOff : record.taskWorkOff;
};

/** Register `regno`, a map value, points to the one field of this type that its map's values hold (check_map_field_pointer). */
export function checkMapFieldPointer(env: Env, regno: number, type: UniqueMapField): void {
  const reg = env.cur.top.regs[regno] as Reg;
  const map = mapOf(reg);
  const struct = fieldTypeName(type);
  if (!isConst(reg.scalar))
    env.reject('EINVAL', `R${regno} doesn't have constant offset. ${struct} has to be at the constant offset`);
  if (!map.def.btf) env.reject('EINVAL', `map '${mapName(map)}' has to have BTF in order to use ${struct}`);
  const off = map.record ? uniqueOffset(map.record, type) : undefined;
  if (off === undefined) env.reject('EINVAL', `map '${mapName(map)}' has no valid ${struct}`);
  const at = constOffset(reg);
  if (at !== off) env.reject('EINVAL', `off ${at} doesn't point to 'struct ${struct}' that is at ${off}`);
}
