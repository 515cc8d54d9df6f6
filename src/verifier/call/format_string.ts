import { parsePrintf } from '../../contracts/printf_format.ts';
import type { Env } from '../env.ts';
import type { Reg } from '../state/reg.ts';
import { constString } from './const_string.ts';

const FORMAT_REGNO = 3;
const DATA_SIZE_REGNO = 5;

/**
 * The format in R3 consumes no more values than the bytes in R5 bring, eight each (check_bpf_snprintf_call). Where the number of
 * bytes varies, the kernel counts its known bits alone.
 */
export function checkFormatCall(env: Env): void {
  const { regs } = env.cur.top;
  const { valueLo, valueHi } = (regs[DATA_SIZE_REGNO] as Reg).scalar;
  if ((valueLo & 7) !== 0) env.refuse('EINVAL');
  const count = ((valueLo >>> 3) | (valueHi << 29)) >>> 0;
  if (!parsePrintf(constString(regs[FORMAT_REGNO] as Reg), count)) env.reject('EINVAL', 'Invalid format string');
}
