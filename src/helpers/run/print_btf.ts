import { BTF_F_ALL, type Shown, showType } from '../../btf/print/show.ts';
import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { copyFromKernel } from '../../kernel/fault_protected.ts';
import { hashedAddress, POINTER_DIGITS } from './format.ts';
import { bytesOf, seqOf } from './print.ts';

/** Typed objects as text. Source: bpf_snprintf_btf, kernel/trace/bpf_trace.c. */

/** sizeof(struct btf_ptr): the pointer, and at 8 the type */
const BTF_PTR_BYTES = 16;
const TYPE_ID = 8;

/** Halves of an address `at` bytes further on. */
function behind(lo: number, hi: number, at: number): readonly [lo: number, hi: number] {
  const low = (lo >>> 0) + at;
  return [low | 0, low > 0xffffffff ? (hi + 1) | 0 : hi];
}

/** Shows what the `btf_ptr` in argument `index` points to; the next argument is the size of it. A negative errno for bad ones. */
function show(call: HostCall, index: number, flags: bigint): Shown | number {
  if ((flags & ~BigInt(BTF_F_ALL)) !== 0n) return -ERRNO.EINVAL;
  if (call.argU32(index + 1) !== BTF_PTR_BYTES) return -ERRNO.EINVAL;
  const pointer = call.readable(index, BTF_PTR_BYTES);
  const { memory, btf } = call;
  const [lo, hi, id] = [memory.loadI32(pointer), memory.loadI32(pointer + 4), memory.loadI32(pointer + TYPE_ID)];
  if (id === 0) return -ERRNO.EINVAL;
  if (id < 0 || btf.typeOrUndefined(id) === undefined) return -ERRNO.ENOENT;
  const object = {
    read(at: number, size: number): Uint8Array | number {
      const bytes = new Uint8Array(size);
      const error = copyFromKernel(call, ...behind(lo, hi, at), bytes);
      return error < 0 ? error : bytes;
    },
    pointerDigits: (low: number, high: number, raw: boolean): string =>
      (raw ? ((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)).toString(16) : hashedAddress(low, high)).padStart(
        POINTER_DIGITS,
        '0',
      ),
  };
  return showType(btf, id, object, Number(flags));
}

/** str, str_size, ptr, btf_ptr_size, flags: writes what fits and a zero; the result is the length of the whole. */
export function snprintfBtf(call: HostCall): void {
  const shown = show(call, 2, call.arg(4));
  if (typeof shown === 'number') return call.setReturnNumber(shown);
  const size = call.argU32(1);
  if (shown.text !== '' && size > 0) {
    const fitting = bytesOf(shown.text.slice(0, size - 1));
    const target = call.writableBytes(0, size);
    target.set(fitting);
    target[fitting.length] = 0;
  }
  call.setReturnNumber(shown.status === 0 ? shown.text.length : shown.status);
}

/** m, ptr, ptr_size, flags */
export function seqPrintfBtf(call: HostCall): void {
  const shown = show(call, 1, call.arg(3));
  if (typeof shown === 'number') return call.setReturnNumber(shown);
  seqOf(call).write(bytesOf(shown.text));
  call.setReturnNumber(shown.status);
}
