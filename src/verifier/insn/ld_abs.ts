import { BPF_ABS, BPF_DW, BPF_IND, modeOf, sizeOf } from '../../isa/constants.ts';
import type { Insn } from '../../isa/insn.ts';
import { checkResourceLeak } from '../call/resources.ts';
import { prepareFuncExit } from '../call/subprogram.ts';
import type { Env } from '../env.ts';
import { checkPtrOffReg } from '../memory/region.ts';
import { pushStack } from '../paths.ts';
import { checkReadable, clearCallerSavedRegs, markRegKnownZero, markRegUnknown } from '../state/access.ts';
import type { Reg } from '../state/reg.ts';
import { PTR_TO_CTX } from '../state/reg_types.ts';

/** the packet's context stands in r6 */
const CONTEXT_REG = 6;

/** A load from the packet as classic BPF has it; it may end the program, so nothing may be held (check_ld_abs). */
export function checkLdAbs(env: Env, insn: Insn): void {
  if (!env.progType.legacyPacketLoads) env.reject('EINVAL', 'BPF_LD_[ABS|IND] instructions not allowed for this program type');
  const mode = modeOf(insn.code);
  if (insn.dst !== 0 || insn.off !== 0 || sizeOf(insn.code) === BPF_DW || (mode === BPF_ABS && insn.src !== 0))
    env.reject('EINVAL', 'BPF_LD_[ABS|IND] uses reserved fields');
  checkReadable(env, CONTEXT_REG);
  checkResourceLeak(env, false, true, 'BPF_LD_[ABS|IND]');
  const context = env.cur.top.regs[CONTEXT_REG] as Reg;
  if (context.type !== PTR_TO_CTX) env.reject('EINVAL', 'at the time of BPF_LD_ABS|IND R6 != pointer to skb');
  if (mode === BPF_IND) checkReadable(env, insn.src);
  checkPtrOffReg(env, context, CONTEXT_REG, false);
  const frame = env.cur.writableTop();
  clearCallerSavedRegs(env, frame);
  markRegUnknown(env, frame, 0);
  if (env.cur.curframe > 0) returnEarly(env);
}

/** Outside the packet the load returns 0 from its function, which is all the same whether the function is the main one. */
function returnEarly(env: Env): void {
  env.scratchReg(0);
  pushStack(env, env.insnIdx + 1, env.insnIdx, false);
  markRegKnownZero(env, env.cur.writableTop(), 0);
  prepareFuncExit(env);
  env.insnIdx--;
}
