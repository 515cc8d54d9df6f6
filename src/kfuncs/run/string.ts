import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { isKernelAddress } from '../../kernel/kernel_address.ts';

/** Strings at addresses that may be bad. Source: kernel/bpf/helpers.c. */

/** The longest string that is looked at. Source: XATTR_SIZE_MAX, include/uapi/linux/limits.h. */
const LIMIT = 65536;
const NUL = 0;

/** Thrown where a byte cannot be read, caught by `answering`. */
class Unreadable extends Error {}

/** Bytes behind an address, as `char` values. */
class Text {
  readonly #call: HostCall;
  readonly #lo: number;
  readonly #hi: number;

  constructor(call: HostCall, index: number) {
    this.#call = call;
    this.#lo = call.argLo(index) >>> 0;
    this.#hi = call.argHi(index);
  }

  get isInKernel(): boolean {
    return isKernelAddress(this.#lo | 0, this.#hi);
  }

  at(index: number): number {
    const low = this.#lo + index;
    const offset = this.#call.memory.probe(low | 0, low > 0xffffffff ? (this.#hi + 1) | 0 : this.#hi, 1, false);
    if (offset < 0) throw new Unreadable();
    return (this.#call.memory.u8[offset]! << 24) >> 24;
  }
}

/** An argument that counts characters, cut to what is looked at. */
const countOf = (call: HostCall, index: number): number => {
  const count = call.arg(index);
  return count > BigInt(LIMIT) ? LIMIT : Number(count);
};

const charOf = (call: HostCall, index: number): number => (call.argLo(index) << 24) >> 24;

/** Answers what `look` finds in the first `strings` arguments; -ERANGE for user addresses, -EFAULT for bytes that cannot be read. */
const answering =
  (strings: 1 | 2, look: (call: HostCall, first: Text, second: Text) => number) =>
  (call: HostCall): void => {
    const first = new Text(call, 0);
    const second = strings === 2 ? new Text(call, 1) : first;
    if (!first.isInKernel || !second.isInKernel) return call.setReturnNumber(-ERRNO.ERANGE);
    try {
      call.setReturnNumber(look(call, first, second));
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      call.setReturnNumber(-ERRNO.EFAULT);
    }
  };

/** tolower() by the kernel's table, which is that of Latin-1. Source: lib/ctype.c. */
const lower = (char: number): number => {
  const byte = char & 0xff;
  const isUpper = (byte >= 0x41 && byte <= 0x5a) || (byte >= 0xc0 && byte <= 0xde && byte !== 0xd7);
  return isUpper ? ((byte + 0x20) << 24) >> 24 : char;
};

const comparing = (fold: (char: number) => number) =>
  answering(2, (_call, first, second) => {
    for (let i = 0; i < LIMIT; i++) {
      const a = fold(first.at(i));
      const b = fold(second.at(i));
      if (a !== b) return a < b ? -1 : 1;
      if (a === NUL) return 0;
    }
    return -ERRNO.E2BIG;
  });

export const strcmp = comparing((char) => char);
export const strcasecmp = comparing(lower);

/** The zero counts as part of the string. */
const find = (text: Text, char: number, count: number): number => {
  for (let i = 0; i < count; i++) {
    const at = text.at(i);
    if (at === char) return i;
    if (at === NUL) return -ERRNO.ENOENT;
  }
  return count === LIMIT ? -ERRNO.E2BIG : -ERRNO.ENOENT;
};

/** s, count, c */
export const strnchr = answering(1, (call, text) => find(text, charOf(call, 2), countOf(call, 1)));
/** s, c */
export const strchr = answering(1, (call, text) => find(text, charOf(call, 1), LIMIT));

export const strchrnul = answering(1, (call, text) => {
  const char = charOf(call, 1);
  for (let i = 0; i < LIMIT; i++) {
    const at = text.at(i);
    if (at === NUL || at === char) return i;
  }
  return -ERRNO.E2BIG;
});

/** s, c: an int, which a `char` may or may not equal */
export const strrchr = answering(1, (call, text) => {
  const char = call.argLo(1);
  let last: number = -ERRNO.ENOENT;
  for (let i = 0; i < LIMIT; i++) {
    const at = text.at(i);
    if (at === char) last = i;
    if (at === NUL) return last;
  }
  return -ERRNO.E2BIG;
});

const length = (text: Text, count: number): number => {
  for (let i = 0; i < count; i++) if (text.at(i) === NUL) return i;
  return count === LIMIT ? -ERRNO.E2BIG : count;
};

export const strnlen = answering(1, (call, text) => length(text, countOf(call, 1)));
export const strlen = answering(1, (_call, text) => length(text, LIMIT));

/** Whether a character is in a set; null when the set does not end. */
const contains = (set: Text, char: number): boolean | null => {
  for (let i = 0; i < LIMIT; i++) {
    const at = set.at(i);
    if (at === char) return true;
    if (at === NUL) return false;
  }
  return null;
};

/** Length of the start whose characters are all in the set, or all outside of it. */
const spanning = (inside: boolean) =>
  answering(2, (_call, text, set) => {
    for (let i = 0; i < LIMIT; i++) {
      const at = text.at(i);
      if (at === NUL) return i;
      const found = contains(set, at);
      if (found === null) return -ERRNO.E2BIG;
      if (found !== inside) return i;
    }
    return -ERRNO.E2BIG;
  });

export const strspn = spanning(true);
export const strcspn = spanning(false);

/** `limit`: characters of the first string that are looked at; one more of the second may be read, to see it end. */
const search = (text: Text, wanted: Text, limit: number): number => {
  for (let i = 0; i < LIMIT; i++) {
    let j = 0;
    for (; i + j <= limit && j < LIMIT; j++) {
      const char = wanted.at(j);
      if (char === NUL) return i;
      if (i + j === limit) break;
      const at = text.at(i + j);
      if (at === NUL) return -ERRNO.ENOENT;
      if (at !== char) break;
    }
    if (j === LIMIT) return -ERRNO.E2BIG;
    if (i + j === limit) return -ERRNO.ENOENT;
  }
  return -ERRNO.E2BIG;
};

/** s1, s2, len */
export const strnstr = answering(2, (call, text, wanted) => {
  const limit = call.arg(2);
  return search(text, wanted, limit > 0xffffffffn ? 0xffffffff : Number(limit));
});
export const strstr = answering(2, (_call, text, wanted) => search(text, wanted, LIMIT));
