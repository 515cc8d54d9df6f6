import type { HostCall } from '../../contracts/host_call.ts';
import { kernelOf } from '../../kernel/kernel_model.ts';

/** bpf_page_to_pfn, proposed with the iterators over rings: the frame number, or all ones for NULL. */
export function pageToPfn(call: HostCall): void {
  const frame = call.argIsNull(0) ? null : kernelOf(call).frames.frameOf(call.argU32(0));
  if (frame === null) call.setReturn(-1, -1);
  else call.setReturnNumber(frame);
}
