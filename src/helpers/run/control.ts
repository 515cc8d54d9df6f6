import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';

/** Source: BPF_MAX_LOOPS, include/linux/bpf.h. */
const BPF_MAX_LOOPS = 8 * 1024 * 1024;

/** The callback gets index and ctx; the result is the number of calls. Source: bpf_loop, kernel/bpf/helpers.c. */
export function loop(call: HostCall): void {
  if (!call.argIsNull(3)) {
    call.setReturnNumber(-ERRNO.EINVAL);
    return;
  }
  const count = call.argU32(0);
  if (count > BPF_MAX_LOOPS) {
    call.setReturnNumber(-ERRNO.E2BIG);
    return;
  }
  const ctxLo = call.argLo(2);
  const ctxHi = call.argHi(2);
  let done = 0;
  while (done < count) {
    call.setCallbackArg(0, done, 0);
    call.setCallbackArg(1, ctxLo, ctxHi);
    done++;
    if ((call.invoke(1) | call.callbackHi) !== 0) break;
  }
  call.setReturnNumber(done);
}
