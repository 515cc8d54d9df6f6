import { Bug, ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { SEQ_FILES, type SeqFile } from '../../kernel/seq_file.ts';
import { type FormatArgs, formatText } from './format.ts';

/** Formatted output. Source: kernel/trace/bpf_trace.c, kernel/bpf/helpers.c. */

const MAX_BPRINTF_VARARGS = 12;
const MAX_BPRINTF_BUF = 1024;

const latin1 = (bytes: Uint8Array): string => {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
};

/** Characters up to 255 as bytes. */
export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** the format up to its zero byte; null without one */
function sizedFormat(call: HostCall, index: number): string | null {
  const bytes = call.bytes(index, call.argU32(index + 1));
  const end = bytes.indexOf(0);
  return end < 0 ? null : latin1(bytes.subarray(0, end));
}

/** arguments in memory: `index` points to them, the next argument is their size in bytes; null: -EINVAL */
function packedArgs(call: HostCall, index: number): FormatArgs | null {
  const size = call.argU32(index + 1);
  if (size % 8 !== 0 || size > MAX_BPRINTF_VARARGS * 8 || (size !== 0 && call.argIsNull(index))) return null;
  const at = size === 0 ? 0 : call.readable(index, size);
  const { memory } = call;
  return { count: size / 8, lo: (arg) => memory.loadI32(at + 8 * arg), hi: (arg) => memory.loadI32(at + 8 * arg + 4) };
}

/** Prints the line, of which the trace buffer takes 1023 bytes; the result is the length of the whole. */
function trace(call: HostCall, format: string | null, args: FormatArgs | null): void {
  const text = format === null || args === null ? -ERRNO.EINVAL : formatText(call, format, args);
  if (typeof text === 'number') {
    call.setReturnNumber(text);
    return;
  }
  const line = text.slice(0, MAX_BPRINTF_BUF - 1).split('\0')[0]!;
  call.printk(new TextDecoder().decode(bytesOf(line)).replace(/\n$/, ''));
  call.setReturnNumber(text.length);
}

export const tracePrintk = (call: HostCall): void =>
  trace(call, sizedFormat(call, 0), {
    count: 3,
    lo: (arg) => call.argLo(arg + 2),
    hi: (arg) => call.argHi(arg + 2),
  });

export const traceVprintk = (call: HostCall): void => trace(call, sizedFormat(call, 0), packedArgs(call, 2));

/** str, str_size, fmt, data, data_len: writes what fits and a zero; the result is the length of the whole with its zero. */
export function snprintf(call: HostCall): void {
  const args = packedArgs(call, 3);
  const text = args === null ? -ERRNO.EINVAL : formatText(call, call.cstring(2), args);
  if (typeof text === 'number') {
    call.setReturnNumber(text);
    return;
  }
  const size = call.argU32(1);
  if (size > 0) {
    const fitting = bytesOf(text.slice(0, size - 1));
    const target = call.writableBytes(0, size);
    target.set(fitting);
    target[fitting.length] = 0;
  }
  call.setReturnNumber(text.length + 1);
}

/** The seq_file that the first argument points to. */
export function seqOf(call: HostCall): SeqFile {
  const seq = call.part(SEQ_FILES).get(call.argU32(0));
  if (seq === undefined) throw new Bug('the first argument is no seq_file');
  return seq;
}

/** m, fmt, fmt_size, data, data_len: text that does not fit leaves the file overflowed. */
export function seqPrintf(call: HostCall): void {
  const args = packedArgs(call, 3);
  const format = sizedFormat(call, 1);
  const text = args === null || format === null ? -ERRNO.EINVAL : formatText(call, format, args);
  if (typeof text === 'number') return call.setReturnNumber(text);
  const seq = seqOf(call);
  seq.write(bytesOf(text));
  call.setReturnNumber(seq.hasOverflowed ? -ERRNO.EOVERFLOW : 0);
}

/** m, data, len */
export function seqWrite(call: HostCall): void {
  const bytes = call.bytes(1, call.argU32(2)).slice();
  call.setReturnNumber(seqOf(call).write(bytes) ? 0 : -ERRNO.EOVERFLOW);
}
