import type { Env } from '../env.ts';

/** What the load of a program left of one of its functions, for programs that attach to it. */
export interface TargetFunction {
  /** BTF_KIND_FUNC; 0 for a function that the verifier added */
  readonly btfTypeId: number;
  /** its BTF does not match what it does (func_info_aux) */
  readonly unreliable: boolean;
  readonly isExceptionCallback: boolean;
  readonly changesPacketData: boolean;
  readonly mightSleep: boolean;
}

/** The functions that are left of a program that was accepted: those that no path reached are gone. */
export const targetFunctions = (env: Env): readonly TargetFunction[] =>
  env.subprogs.map(({ btfTypeId, unreliable, isExceptionCallback, changesPacketData, mightSleep }) => ({
    btfTypeId,
    unreliable,
    isExceptionCallback,
    changesPacketData,
    mightSleep,
  }));
