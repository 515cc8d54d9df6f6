import { BtfError } from '../../btf/error.ts';
import { distillFuncProto } from '../../btf/func_model.ts';
import type { FuncProtoType } from '../../btf/types.ts';
import type { Insn } from '../../isa/insn.ts';
import type { Env } from '../env.ts';

/** Kfuncs that a program calls. Source: add_kfunc_call, kernel/bpf/verifier.c. */

const MAX_KFUNC_DESCS = 256;

/** Resolves the callee of a kfunc call. Id 0 is a call that must turn out to be unreachable. */
export function addKfuncCall(env: Env, insn: Insn): void {
  if (!env.isGplCompatible) env.reject('EINVAL', 'cannot call kernel function from non-GPL compatible program');
  const btfId = insn.imm;
  if (btfId === 0 && insn.off === 0) return;
  if (insn.off !== 0) refuseModuleKfunc(env, insn.off);
  if (env.kfuncs.has(btfId)) return;
  if (env.kfuncs.size === MAX_KFUNC_DESCS) env.reject('E2BIG', 'too many different kernel function calls');
  const { btf } = env.profile;
  const func = btf.typeOf(btfId, 'FUNC');
  if (!func) env.reject('EINVAL', `kernel btf_id ${btfId >>> 0} is not a function`);
  const proto = btf.typeOf(func.type, 'FUNC_PROTO');
  if (!proto) env.reject('EINVAL', `kernel function btf_id ${btfId >>> 0} does not have a valid func_proto`);
  if (env.profile.facts.functionsWithoutAddress.has(func.name)) {
    env.reject('EINVAL', `cannot find address for kernel function ${func.name}`);
  }
  const entry = env.profile.kfuncs.get(func.name) ?? null;
  if (entry?.roles?.includes('device_bound')) env.reject('EINVAL', 'metadata kfuncs require device-bound program');
  checkModel(env, proto, func.name);
  env.kfuncs.set(btfId, { btfId, name: func.name, proto, entry });
}

/** The BTF of a module is named by its place in the array of descriptors, which a `Program` does not have (find_kfunc_desc_btf). */
function refuseModuleKfunc(env: Env, off: number): never {
  env.verbose(
    off < 0 ? 'negative offset disallowed for kernel module function call\n' : 'kfunc offset > 0 without fd_array is invalid\n',
  );
  return env.reject(off < 0 ? 'EINVAL' : 'EPROTO', 'failed to find BTF for kernel function');
}

function checkModel(env: Env, proto: FuncProtoType, name: string): void {
  try {
    distillFuncProto(env.profile.btf, proto, name);
  } catch (error) {
    if (!(error instanceof BtfError)) throw error;
    env.reject('EINVAL', error.message);
  }
}
