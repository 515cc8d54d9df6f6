import { Bug, ERRNO, never } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { type PrintfField, type PrintfPiece, parsePrintf } from '../../contracts/printf_format.ts';
import { copyFromKernel, copyStringFromKernel, copyStringFromUser, isUserAddress } from '../../kernel/fault_protected.ts';

/**
 * Formatted text as the kernel prints it: bpf_bprintf_prepare(), kernel/bpf/helpers.c, packs the arguments into a buffer of
 * MAX_BPRINTF_BIN_ARGS bytes, bstr_printf(), lib/vsprintf.c, prints them.
 */

const MAX_BPRINTF_BIN_ARGS = 512;
const TWO32 = 2 ** 32;
/** High halves below this make numbers that are exact. */
const EXACT_HIGH = 2 ** 21;
export const POINTER_DIGITS = 16;

/** Arguments of a format: halves by number. */
export interface FormatArgs {
  readonly count: number;
  lo(index: number): number;
  hi(index: number): number;
}

/** What the packed arguments have used of their buffer. */
class PackedArgs {
  #used = 0;

  get left(): number {
    return MAX_BPRINTF_BIN_ARGS - this.#used;
  }

  /** false when there is no room: -ENOSPC */
  word(bytes: 4 | 8): boolean {
    this.#used = (this.#used + 3) & ~3;
    if (this.left < bytes) return false;
    this.#used += bytes;
    return true;
  }

  take(bytes: number): void {
    this.#used += bytes;
  }
}

/** The format that was parsed last: programs print with the same one again and again. */
let parsed: { readonly format: string; readonly count: number; readonly pieces: readonly PrintfPiece[] | null } | null = null;

function piecesOf(format: string, count: number): readonly PrintfPiece[] | null {
  if (parsed?.format !== format || parsed.count !== count) parsed = { format, count, pieces: parsePrintf(format, count) };
  return parsed.pieces;
}

/** The text (Latin-1), or a negative errno. */
export function formatText(call: HostCall, format: string, args: FormatArgs): string | number {
  const pieces = piecesOf(format, args.count);
  if (pieces === null) return -ERRNO.EINVAL;
  const packed = new PackedArgs();
  let text = '';
  let index = 0;
  for (const piece of pieces) {
    if (piece.kind === 'text') {
      text += piece.text;
      continue;
    }
    const part = convert(call, piece, args.lo(index), args.hi(index), packed);
    if (part === null) return -ERRNO.ENOSPC;
    text += part;
    index++;
  }
  return text;
}

/** null when the packed arguments are full */
function convert(call: HostCall, piece: PrintfPiece, lo: number, hi: number, packed: PackedArgs): string | null {
  switch (piece.kind) {
    case 'number':
      return packed.word(piece.bits === 64 ? 8 : 4) ? number(piece, lo, piece.bits === 64 ? hi : null) : null;
    case 'char':
      if (packed.left === 0) return null;
      packed.take(1);
      return padded(String.fromCharCode(lo & 0xff), piece);
    case 'string': {
      if (packed.left === 0) return null;
      const bytes = new Uint8Array(packed.left);
      const copied = copyString(call, piece.from, lo, hi, bytes);
      packed.take(copied < 0 ? 1 : copied);
      return padded(copied < 0 ? '' : String.fromCharCode(...bytes.subarray(0, copied - 1)), piece);
    }
    case 'pointer':
      return pointer(piece, lo, hi, packed);
    case 'ip': {
      const bytes = new Uint8Array(piece.version === 4 ? 4 : 16);
      if (packed.left < bytes.length) return null;
      if (copyFromKernel(call, lo, hi, bytes) < 0) bytes.fill(0);
      const text = piece.version === 4 ? ip4(bytes, piece.long) : ip6(bytes, piece.long);
      packed.take(text.length + 1);
      return text;
    }
    case 'text':
      throw new Bug('text has no argument');
    default:
      return never(piece, 'printf piece');
  }
}

function copyString(call: HostCall, from: 's' | 'k' | 'u', lo: number, hi: number, target: Uint8Array): number {
  const user = from === 'u' || (from === 's' && isUserAddress(lo, hi));
  return user ? copyStringFromUser(call, lo, hi, target) : copyStringFromKernel(call, lo, hi, target);
}

const padded = (text: string, field: PrintfField): string => (field.left ? text.padEnd(field.width) : text.padStart(field.width));

/** number() of lib/vsprintf.c: sign in front of zeros, spaces in front of the sign */
function pad(sign: string, digits: string, field: PrintfField): string {
  const width = field.width - sign.length;
  if (field.left) return (sign + digits).padEnd(field.width);
  if (field.zero) return sign + digits.padStart(width, '0');
  return (sign + digits).padStart(field.width);
}

/** `hi` null: 32 bits */
function number(piece: PrintfField & { readonly sign: 'd' | 'u' | 'x' | 'X' }, lo: number, hi: number | null): string {
  const isSigned = piece.sign === 'd';
  const high = hi ?? (isSigned ? lo >> 31 : 0);
  const isNegative = isSigned && high < 0;
  const digits = magnitude(lo, high, isNegative).toString(piece.sign === 'x' || piece.sign === 'X' ? 16 : 10);
  if (isNegative) return pad('-', digits, piece);
  if (isSigned) return pad(piece.plus ? '+' : piece.space ? ' ' : '', digits, piece);
  return pad('', piece.sign === 'X' ? digits.toUpperCase() : digits, piece);
}

/** The absolute value: a number where that is exact. */
function magnitude(lo: number, high: number, isNegative: boolean): number | bigint {
  if (high >= 0 && high < EXACT_HIGH) return high * TWO32 + (lo >>> 0);
  if (isNegative && high === lo >> 31) return -lo;
  const unsigned = (BigInt(high >>> 0) << 32n) | BigInt(lo >>> 0);
  return isNegative ? -BigInt.asIntN(64, unsigned) : unsigned;
}

/** Plain pointers print a hash, NULL as zeros; there is no symbol table, so a symbol prints as its address. */
function pointer(
  piece: PrintfField & { readonly as: 'p' | 'K' | 'x' | 's' | 'S' | 'B' },
  lo: number,
  hi: number,
  packed: PackedArgs,
): string | null {
  const address = ((BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0)).toString(16);
  switch (piece.as) {
    case 'B': {
      const text = `0x${address}`;
      packed.take(text.length + 1);
      return text;
    }
    case 's':
    case 'S':
      return packed.word(8) ? padded(`0x${address}`, piece) : null;
    case 'x':
      return packed.word(8) ? pointerDigits(address, piece) : null;
    case 'p':
    case 'K':
      return packed.word(8) ? pointerDigits(hashedAddress(lo, hi), piece) : null;
    default:
      return never(piece.as, 'pointer conversion');
  }
}

const pointerDigits = (digits: string, field: PrintfField): string =>
  field.width === -1 ? digits.padStart(POINTER_DIGITS, '0') : pad('', digits, field);

/**
 * Digits of what `%p` prints for an address: 32 bits, 0 for NULL alone.
 * Differs from the kernel: its siphash has a key of the boot; this mix of the halves has none.
 */
export function hashedAddress(lo: number, hi: number): string {
  if ((lo | hi) === 0) return '0';
  let mixed = Math.imul(lo ^ Math.imul(hi, 0x9e3779b1), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0 || 1).toString(16);
}

/** `I`: plain, `i`: with leading zeros (ip4_string) */
const ip4 = (bytes: Uint8Array, zeros: boolean): string =>
  [...bytes].map((byte) => (zeros ? String(byte).padStart(3, '0') : String(byte))).join('.');

/** `I6` has colons, `i6` has none (ip6_string) */
const ip6 = (bytes: Uint8Array, plain: boolean): string => {
  const words: string[] = [];
  for (let at = 0; at < 16; at += 2) words.push(((bytes[at]! << 8) | bytes[at + 1]!).toString(16).padStart(4, '0'));
  return words.join(plain ? '' : ':');
};
