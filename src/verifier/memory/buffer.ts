import type { Env } from '../env.ts';
import { tnumText } from '../log/scalar_text.ts';
import { isZero } from '../scalar/scalar.ts';
import type { Reg } from '../state/reg.ts';

/**
 * Buffers whose size is only known when the program is attached: what they are accessed at must be fixed and not negative
 * (__check_buffer_access). `kind` stands in the message; how far buffers are touched is remembered for the time of the
 * attachment.
 */
export function checkBufferAccess(env: Env, reg: Reg, regno: number, off: number, size: number, kind: string): void {
  if (off < 0) env.reject('EACCES', `R${regno} invalid ${kind} buffer access: off=${off}, size=${size}`);
  if (!isZero(reg.scalar))
    env.reject('EACCES', `R${regno} invalid variable buffer offset: off=${off}, var_off=${tnumText(reg.scalar)}`);
  if (kind === 'rdonly') env.maxReadOnlyAccess = Math.max(env.maxReadOnlyAccess, off + size);
  else if (kind === 'tracepoint') env.maxTracepointAccess = Math.max(env.maxTracepointAccess, off + size);
  else if (kind === 'rdwr') env.maxReadWriteAccess = Math.max(env.maxReadWriteAccess, off + size);
}

const FLOW_KEYS_SIZE = 56;

/** struct bpf_flow_keys (check_flow_keys_access) */
export function checkFlowKeysAccess(env: Env, off: number, size: number): void {
  if (size < 0 || off < 0 || off + size > FLOW_KEYS_SIZE)
    env.reject('EACCES', `invalid access to flow keys off=${off} size=${size}`);
}
