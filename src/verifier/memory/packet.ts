import type { Env } from '../env.ts';
import { markRegUnknown } from '../state/access.ts';
import type { Reg } from '../state/reg.ts';
import { isPointerValue } from '../state/trust.ts';
import { checkBounds } from './region.ts';

/** The access lies in the range that a comparison with the end has proven (check_packet_access). */
export function checkPacketAccess(env: Env, regno: number, off: number, size: number, zeroSizeOk: boolean): void {
  const reg = env.cur.top.regs[regno] as Reg;
  if (reg.scalar.sminHi < 0)
    env.reject('EACCES', `R${regno} min value is negative, either use unsigned index or do a if (index >=0) check.`);
  if (reg.aux < 0) env.reject('EINVAL', `R${regno} offset is outside of the packet`);
  if (off >= 0 && size > 0 && off + size <= reg.aux) return;
  try {
    checkBounds(env, regno, off, size, reg.aux, zeroSizeOk);
  } catch (error) {
    env.verbose(`R${regno} offset is outside of the packet\n`);
    throw error;
  }
}

/** A load or store through a packet pointer. */
export function checkPacketMemAccess(
  env: Env,
  regno: number,
  off: number,
  size: number,
  write: boolean,
  valueRegno: number,
): void {
  if (write) {
    if (!env.progType.packetAccess(true, env.subject)) env.reject('EACCES', 'cannot write into packet');
    if (valueRegno >= 0 && isPointerValue(env, valueRegno)) env.reject('EACCES', `R${valueRegno} leaks addr into packet`);
    env.seenDirectWrite = true;
  }
  checkPacketAccess(env, regno, off, size, false);
  if (!write && valueRegno >= 0) markRegUnknown(env, env.cur.writableTop(), valueRegno);
}
