import { ERRNO, Fault } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';

/** Call chains and branch records. Source: kernel/bpf/stackmap.c, kernel/trace/bpf_trace.c. */

const BPF_F_SKIP_FIELD_MASK = 0xffn;
const BPF_F_USER_STACK = 1n << 8n;
const BPF_F_FAST_STACK_CMP = 1n << 9n;
const BPF_F_REUSE_STACKID = 1n << 10n;
const BPF_F_USER_BUILD_ID = 1n << 11n;
const BPF_F_GET_BRANCH_RECORDS_SIZE = 1n;
/** sizeof(struct bpf_stack_build_id) */
const BUILD_ID_BYTES = 32;
const ADDRESS_BYTES = 8;
/** kernel.perf_event_max_stack */
const DEPTH_LIMIT = 127;

const chainOf = (call: HostCall, flags: bigint): readonly bigint[] =>
  (flags & BPF_F_USER_STACK) !== 0n ? call.attach.userStack : call.attach.kernelStack;

/** ctx, map, flags */
export function getStackid(call: HostCall): void {
  const flags = call.arg(2);
  const known = BPF_F_SKIP_FIELD_MASK | BPF_F_USER_STACK | BPF_F_FAST_STACK_CMP | BPF_F_REUSE_STACKID;
  if ((flags & ~known) !== 0n) return call.setReturnNumber(-ERRNO.EINVAL);
  const { stacks } = call.map(1);
  if (stacks === null) throw new Fault('bad-call', 'argument 2 is no stack map', call.arg(1));
  call.setReturnNumber(stacks.keep(chainOf(call, flags), Number(flags)));
}

/** ctx, buf, size, flags: addresses, innermost first; build ids of user code are not known, so that their status is the address */
export function getStack(call: HostCall): void {
  const size = call.argU32(2);
  const target = call.writableBytes(1, size);
  const flags = call.arg(3);
  target.fill(0);
  const withBuildId = (flags & BPF_F_USER_BUILD_ID) !== 0n;
  const isKernel = (flags & BPF_F_USER_STACK) === 0n;
  const width = withBuildId ? BUILD_ID_BYTES : ADDRESS_BYTES;
  const known = BPF_F_SKIP_FIELD_MASK | BPF_F_USER_STACK | BPF_F_USER_BUILD_ID;
  if ((flags & ~known) !== 0n || (isKernel && withBuildId) || size % width !== 0) return call.setReturnNumber(-ERRNO.EINVAL);
  const skip = Number(flags & BPF_F_SKIP_FIELD_MASK);
  const chain = chainOf(call, flags).slice(0, Math.min(size / width + skip, DEPTH_LIMIT));
  if (chain.length < skip) return call.setReturnNumber(-ERRNO.EFAULT);
  const view = new DataView(target.buffer, target.byteOffset, size);
  for (const [i, address] of chain.slice(skip).entries()) {
    if (withBuildId) view.setInt32(i * width, BPF_STACK_BUILD_ID_IP, true);
    view.setBigUint64(i * width + (withBuildId ? width - ADDRESS_BYTES : 0), address, true);
  }
  call.setReturnNumber((chain.length - skip) * width);
}

/** the address is all that is known of the code */
const BPF_STACK_BUILD_ID_IP = 2;

/** entries, size, flags: this processor records no branches */
export const getBranchSnapshot = (call: HostCall): void =>
  call.setReturnNumber(call.argIsNull(2) ? -ERRNO.ENOENT : -ERRNO.EINVAL);

/** ctx, buf, size, flags: the sample has no branch records */
export const readBranchRecords = (call: HostCall): void =>
  call.setReturnNumber((call.arg(3) & ~BPF_F_GET_BRANCH_RECORDS_SIZE) === 0n ? -ERRNO.ENOENT : -ERRNO.EINVAL);
