/** Longest symbol. Source: KSYM_NAME_LEN, include/linux/kallsyms.h. */
const KSYM_NAME_LEN = 512;

/** The kernel's character classes are those of Latin-1. Source: lib/ctype.c. */
const isAlpha = (c: number): boolean =>
  (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a) || (c >= 0xc0 && c !== 0xd7 && c !== 0xf7);
const isDigit = (c: number): boolean => c >= 0x30 && c <= 0x39;
const isPrint = (c: number): boolean => (c >= 0x20 && c <= 0x7e) || c >= 0xa0;

const nameCharOk = (c: number, first: boolean): boolean => isAlpha(c) || (!first && isDigit(c)) || c === 0x5f || c === 0x2e;

/** A C identifier, dots allowed, of at most 512 bytes. Source: btf_name_valid_identifier, kernel/bpf/btf.c. */
export const isValidIdentifier = (bytes: Uint8Array, at: number): boolean => {
  if (!nameCharOk(bytes[at]!, true)) return false;
  let i = at + 1;
  for (; bytes[i] !== 0 && i < at + KSYM_NAME_LEN; i++) {
    if (!nameCharOk(bytes[i]!, false)) return false;
  }
  return bytes[i] === 0;
};

/** Printable characters, one to 512. Source: btf_name_valid_section, kernel/bpf/btf.c. */
export const isValidSection = (bytes: Uint8Array, at: number): boolean => {
  if (bytes[at] === 0) return false;
  let i = at;
  for (; bytes[i] !== 0 && i < at + KSYM_NAME_LEN; i++) {
    if (!isPrint(bytes[i]!)) return false;
  }
  return bytes[i] === 0;
};
