import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { isSpace } from '../../contracts/printf_format.ts';

/** Numbers in strings. Source: __bpf_strtoull, kernel/bpf/helpers.c; _parse_integer, lib/kstrtox.c. */

const BPF_STRTOX_BASE_MASK = 0x1fn;
/** bytes of the copy that is parsed, without its zero */
const PARSED_BYTES = 63;
const MINUS = 0x2d;

interface Parsed {
  readonly value: bigint;
  readonly negative: boolean;
  /** bytes of the buffer up to the end of the number */
  readonly consumed: number;
}

const digitOf = (char: string | undefined): number => (char === undefined ? 99 : '0123456789abcdef'.indexOf(char));

/** a negative errno, or the number */
function parseUnsigned(bytes: Uint8Array, flags: bigint): Parsed | number {
  const wanted = Number(flags & BPF_STRTOX_BASE_MASK);
  if (bytes.length === 0 || ![0, 8, 10, 16].includes(wanted) || flags !== BigInt(wanted)) return -ERRNO.EINVAL;
  let at = 0;
  while (at < bytes.length && isSpace(bytes[at]!)) at++;
  const negative = bytes[at] === MINUS;
  if (negative) at++;
  if (at === bytes.length) return -ERRNO.EINVAL;
  const text = String.fromCharCode(...bytes.subarray(at, at + PARSED_BYTES))
    .split('\0')[0]!
    .toLowerCase();
  const hasHexPrefix = text.startsWith('0x');
  const hex = hasHexPrefix && digitOf(text[2]) >>> 0 < 16;
  const base = wanted !== 0 ? wanted : !text.startsWith('0') ? 10 : hex ? 16 : 8;
  const start = base === 16 && hasHexPrefix ? 2 : 0;
  let end = start;
  let value = 0n;
  while (end < text.length && digitOf(text[end]) >>> 0 < base) value = value * BigInt(base) + BigInt(digitOf(text[end++]));
  if (value >> 64n !== 0n) return -ERRNO.ERANGE;
  if (end === start) return -ERRNO.EINVAL;
  return { value, negative, consumed: at + end };
}

/** Stores the number behind argument 3 and returns how much was read; 0 is stored on failure. */
function store(call: HostCall, check: (parsed: Parsed) => bigint | number): void {
  const parsed = parseUnsigned(call.bytes(0, call.argU32(1)), call.arg(2));
  const target = call.writable(3, 8);
  call.memory.storeU64(target, 0n);
  const value = typeof parsed === 'number' ? parsed : check(parsed);
  if (typeof value === 'number') {
    call.setReturnNumber(value);
    return;
  }
  call.memory.storeU64(target, BigInt.asUintN(64, value));
  call.setReturnNumber((parsed as Parsed).consumed);
}

export const strtol = (call: HostCall): void =>
  store(call, ({ value, negative }) => {
    if (negative) return value > 1n << 63n ? -ERRNO.ERANGE : -value;
    return value >= 1n << 63n ? -ERRNO.ERANGE : value;
  });

export const strtoul = (call: HostCall): void => store(call, ({ value, negative }) => (negative ? -ERRNO.EINVAL : value));

/** strncmp() of lib/string.c: -1, 0 or 1. */
export function strncmp(call: HostCall): void {
  const size = call.argU32(1);
  const first = call.bytes(0, size);
  const second = call.cstring(2);
  let result = 0;
  for (let index = 0; index < size; index++) {
    const left = first[index]!;
    const right = index < second.length ? second.charCodeAt(index) : 0;
    if (left !== right) result = left < right ? -1 : 1;
    if (result !== 0 || left === 0) break;
  }
  call.setReturnNumber(result);
}
