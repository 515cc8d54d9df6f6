import { Reject } from '../../contracts/errors.ts';
import type { Env, SubprogArg } from '../env.ts';
import { checkMemReg } from '../memory/helper_memory.ts';
import { checkDynptrArg } from '../objects/dynptr.ts';
import { isNullReg } from '../state/access.ts';
import type { Reg } from '../state/reg.ts';
import { isMaybeNull, PTR_TO_ARENA, PTR_TO_CTX, PTR_UNTRUSTED, SCALAR_VALUE } from '../state/reg_types.ts';
import { ARG_DONTCARE, ARG_PTR_TO_DYNPTR, argBase } from './arg_types.ts';
import { prepareFuncArgs } from './global_args.ts';
import { emptyMeta } from './meta.ts';
import { checkArgOffset, checkRegType } from './reg_match.ts';

/** Arguments of the program's own functions at a call. Source: btf_check_func_arg_match, kernel/bpf/verifier.c. */

const NO_INSN = -1;

/** Whatever is wrong with the memory, the call answers EINVAL. */
function checkMemory(env: Env, regno: number, size: number): void {
  try {
    checkMemReg(env, regno, size);
  } catch (error) {
    if (error instanceof Reject) throw new Reject('EINVAL', error.message, error.insn);
    throw error;
  }
}

function checkArg(env: Env, index: number, arg: SubprogArg): void {
  const { argType } = arg;
  const regno = index + 1;
  const reg = env.cur.top.regs[regno] as Reg;
  // loads from untrusted memory are fault-protected, so anything may be passed
  if ((argType & PTR_UNTRUSTED) !== 0) return;
  switch (argBase(argType)) {
    case 'ARG_ANYTHING':
      if (reg.type !== SCALAR_VALUE) env.reject('EINVAL', `R${regno} is not a scalar`);
      return;
    case 'ARG_PTR_TO_CTX':
      checkArgOffset(env, reg, regno, ARG_DONTCARE);
      if (reg.type !== PTR_TO_CTX) env.reject('EINVAL', `arg#${index} expects pointer to ctx`);
      return;
    case 'ARG_PTR_TO_MEM':
      checkArgOffset(env, reg, regno, ARG_DONTCARE);
      checkMemory(env, regno, arg.memSize);
      if (!isMaybeNull(argType) && isMaybeNull(reg.type)) env.reject('EINVAL', `arg#${index} is expected to be non-NULL`);
      return;
    case 'ARG_PTR_TO_ARENA':
      if (reg.type !== PTR_TO_ARENA && reg.type !== SCALAR_VALUE)
        env.reject('EINVAL', `R${regno} is not a pointer to arena or scalar.`);
      return;
    case 'ARG_PTR_TO_DYNPTR':
      checkArgOffset(env, reg, regno, ARG_PTR_TO_DYNPTR);
      checkDynptrArg(env, regno, NO_INSN, argType, 0);
      return;
    case 'ARG_PTR_TO_BTF_ID':
      if (isNullReg(reg) && isMaybeNull(argType)) return;
      checkRegType(env, regno, argType, arg.btfId, emptyMeta());
      checkArgOffset(env, reg, regno, argType);
      return;
    default:
      env.bug(`unrecognized arg#${index} type ${argType}`);
  }
}

/** R1 to R5 of the current frame are what the function's BTF says. */
export function checkFuncArgs(env: Env, subprogno: number): void {
  prepareFuncArgs(env, subprogno);
  env.subprogs[subprogno]!.args.forEach((arg, index) => {
    checkArg(env, index, arg);
  });
}
