import type { PointerStructBase } from '../../contracts/prog_type.ts';
import { REG_BASES } from '../../contracts/type_words.ts';
import type { Env } from '../env.ts';
import { regTypeText } from '../log/state_lines.ts';
import type { Reg } from '../state/reg.ts';
import { baseOf } from '../state/reg_types.ts';

/** Fields of the socket structs that programs see (check_sock_access). */
export function checkSocketAccess(env: Env, regno: number, off: number, size: number): void {
  const reg = env.cur.top.regs[regno] as Reg;
  if (reg.scalar.sminHi < 0)
    env.reject('EACCES', `R${regno} min value is negative, either use unsigned index or do a if (index >=0) check.`);
  const base = REG_BASES[baseOf(reg.type)] as PointerStructBase;
  if (!env.profile.pointerStructAccess(base, { off, size, write: false, signExtend: false }))
    env.reject('EACCES', `R${regno} invalid ${regTypeText(reg.type)} access off=${off} size=${size}`);
}
