import { ATTACH_TYPES } from '../../contracts/attach_types.ts';
import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';

/**
 * The traced function: its arguments are 8-byte slots at the context, followed by the return value. Source:
 * kernel/trace/bpf_trace.c and the instructions that do_misc_fixups(), kernel/bpf/verifier.c, puts in their place.
 */

const SLOT_BYTES = 8;

export const getAttachCookie = (call: HostCall): void => call.setReturnBigint(call.attach.cookie);
export const getFuncIp = (call: HostCall): void => call.setReturnBigint(call.attach.ip);
export const getFuncArgCnt = (call: HostCall): void => call.setReturnNumber(call.attach.argCount);

function copySlot(call: HostCall, slot: number, target: number): void {
  const value = call.memory.loadU64(call.contextOffset + slot * SLOT_BYTES);
  call.memory.storeU64(target, value);
  call.setReturnNumber(0);
}

/** ctx, n, value */
export function getFuncArg(call: HostCall): void {
  const slot = call.argU32(1);
  if (slot >= call.attach.argCount) call.setReturnNumber(-ERRNO.EINVAL);
  else copySlot(call, slot, call.writable(2, SLOT_BYTES));
}

/** ctx, value: only where there is a result already */
export function getFuncRet(call: HostCall): void {
  const { expectedAttachType } = call.program;
  const returns = expectedAttachType === ATTACH_TYPES.BPF_TRACE_FEXIT || expectedAttachType === ATTACH_TYPES.BPF_MODIFY_RETURN;
  if (!returns) call.setReturnNumber(-ERRNO.EOPNOTSUPP);
  else copySlot(call, call.attach.argCount, call.writable(1, SLOT_BYTES));
}

/** the return value that cgroup programs pass along (kernel/bpf/cgroup.c) */
export const getRetval = (call: HostCall): void => call.setReturnNumber(call.retval);

export function setRetval(call: HostCall): void {
  call.retval = call.argLo(0);
  call.setReturnNumber(0);
}
