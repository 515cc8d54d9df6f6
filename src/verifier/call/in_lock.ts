import { BPF_PSEUDO_CALL, BPF_PSEUDO_KFUNC_CALL } from '../../isa/constants.ts';
import type { Insn } from '../../isa/insn.ts';
import type { Env } from '../env.ts';

/** The call may be made while a lock is held; functions of the program are looked at from inside (do_check_insn). */
export function isCallAllowedInLock(env: Env, insn: Insn): boolean {
  switch (insn.src) {
    case BPF_PSEUDO_CALL:
      return true;
    case BPF_PSEUDO_KFUNC_CALL:
      return insn.off === 0 && (env.kfuncs.get(insn.imm)?.entry?.allowedInLocks ?? false);
    default:
      return env.profile.helpers[insn.imm]?.effects?.allowedInLocks ?? false;
  }
}
