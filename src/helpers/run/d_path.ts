import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { kernelOf } from '../../kernel/kernel_model.ts';
import { bytesOfText } from '../../kernel/text.ts';

/**
 * path, buf, sz: the text with its zero, put together at the end of the buffer and then moved to its start; what stood there
 * stays behind it. Source: bpf_d_path, kernel/trace/bpf_trace.c; d_path, fs/d_path.c.
 */
export function dPath(call: HostCall): void {
  const size = call.argU32(2);
  if (size === 0) return call.setReturn(0, 0);
  const { objects, paths } = kernelOf(call);
  const field = objects.field('path', 'dentry');
  const at = call.memory.probe(call.argLo(0), call.argHi(0), objects.sizeOf('path'), false);
  const dentry = at < 0 ? null : paths.at(field.pointer(at));
  if (dentry === null) return call.setReturnNumber(-ERRNO.EFAULT);
  const text = bytesOfText(`${dentry.path()}\0`);
  if (text.length > size) return call.setReturnNumber(-ERRNO.ENAMETOOLONG);
  const buffer = call.writableBytes(1, size);
  buffer.set(text, size - text.length);
  buffer.copyWithin(0, size - text.length);
  call.setReturnNumber(text.length);
}
