import type { Env } from '../env.ts';

const MAX_ERRNO = 4095;

/**
 * What a security hook returns: 0 or an error, or a truth value; null where the hook returns nothing
 * (bpf_lsm_get_retval_range, kernel/bpf/bpf_lsm.c).
 */
export function lsmReturnRange(env: Env): { readonly min: number; readonly max: number } | null {
  const attach = env.attachProto;
  const proto = attach?.btf.typeOf(attach.protoId, 'FUNC_PROTO');
  if (!attach || !proto || attach.btf.skipModifiers(proto.ret).kind === 'VOID') return null;
  return env.profile.facts.boolLsmHooks.has(attach.name) ? { min: 0, max: 1 } : { min: -MAX_ERRNO, max: 0 };
}
