import type { Env } from '../env.ts';
import { checkMapAccess } from '../memory/map_value.ts';
import { isConst } from '../scalar/scalar.ts';
import type { MapInfo } from '../state/map_info.ts';
import { mapOf, type Reg } from '../state/reg.ts';
import { PTR_TO_MAP_VALUE } from '../state/reg_types.ts';

/** Strings in frozen maps that a call takes as constants. Source: check_reg_const_str, kernel/bpf/verifier.c. */

/** Offset of the first zero byte at or behind `from` in the one value of a data map, -1 for none. */
function findEnd(map: MapInfo, from: number): number {
  const { initial, valueSize } = map.def;
  const length = initial?.length ?? 0;
  for (let at = from; at < valueSize; at++) if (at >= length || initial![at] === 0) return at;
  return -1;
}

const offsetIn = (reg: Reg): number => (reg.off + reg.scalar.valueLo) | 0;

/** Register `regno` points to a zero-terminated string that cannot change. */
export function checkConstString(env: Env, regno: number): void {
  const reg = env.cur.top.regs[regno] as Reg;
  if (reg.type !== PTR_TO_MAP_VALUE) env.refuse('EINVAL');
  const map = mapOf(reg);
  if (!map.constant) env.reject('EACCES', `R${regno} does not point to a readonly map'`);
  if (!isConst(reg.scalar)) env.reject('EACCES', `R${regno} is not a constant address'`);
  if (!map.type.directValue) env.reject('EACCES', 'no direct value access support for this map type');
  checkMapAccess(env, regno, reg.off, map.def.valueSize - reg.off, false, 'helper');
  const errno = map.type.checkDirectValue(map.def, offsetIn(reg));
  if (errno) env.reject(errno, 'direct value access on string failed');
  if (findEnd(map, offsetIn(reg)) < 0) env.reject('EINVAL', 'string is not zero-terminated');
}

/** The bytes of a string that passed `checkConstString`, one character each. */
export function constString(reg: Reg): string {
  const map = mapOf(reg);
  const start = offsetIn(reg);
  const end = findEnd(map, start);
  let text = '';
  for (let at = start; at < end; at++) text += String.fromCharCode(map.def.initial?.[at] ?? 0);
  return text;
}
