/**
 * Type names that C for BPF takes for granted, each with what it stands for. They are defined in the BTF when first used.
 * Source: include/uapi/linux/types.h, include/linux/types.h, <stdint.h>.
 */
export const KNOWN_TYPEDEFS: Readonly<Record<string, string>> = {
  __s8: 'signed char',
  __u8: 'unsigned char',
  __s16: 'short',
  __u16: 'unsigned short',
  __s32: 'int',
  __u32: 'unsigned int',
  __s64: 'long long',
  __u64: 'unsigned long long',
  __s128: '__int128',
  __u128: 'unsigned __int128',
  s8: '__s8',
  u8: '__u8',
  s16: '__s16',
  u16: '__u16',
  s32: '__s32',
  u32: '__u32',
  s64: '__s64',
  u64: '__u64',
  s128: '__s128',
  u128: '__u128',
  __be16: '__u16',
  __be32: '__u32',
  __be64: '__u64',
  __le16: '__u16',
  __le32: '__u32',
  __le64: '__u64',
  __wsum: '__u32',
  __sum16: '__u16',
  __int8_t: 'signed char',
  __uint8_t: 'unsigned char',
  __int16_t: 'short',
  __uint16_t: 'unsigned short',
  __int32_t: 'int',
  __uint32_t: 'unsigned int',
  __int64_t: 'long',
  __uint64_t: 'unsigned long',
  int8_t: '__s8',
  uint8_t: '__u8',
  int16_t: '__s16',
  uint16_t: '__u16',
  int32_t: '__s32',
  uint32_t: '__u32',
  int64_t: '__s64',
  uint64_t: '__u64',
  intptr_t: 'long',
  uintptr_t: 'unsigned long',
  __kernel_long_t: 'long',
  __kernel_ulong_t: 'unsigned long',
  __kernel_size_t: '__kernel_ulong_t',
  __kernel_ssize_t: '__kernel_long_t',
  __kernel_loff_t: 'long long',
  __kernel_pid_t: 'int',
  __kernel_dev_t: 'u32',
  __kernel_uid32_t: 'unsigned int',
  __kernel_gid32_t: 'unsigned int',
  __kernel_time64_t: 'long long',
  __kernel_clockid_t: 'int',
  size_t: '__kernel_size_t',
  ssize_t: '__kernel_ssize_t',
  loff_t: '__kernel_loff_t',
  off_t: '__kernel_long_t',
  pid_t: '__kernel_pid_t',
  dev_t: '__kernel_dev_t',
  uid_t: '__kernel_uid32_t',
  gid_t: '__kernel_gid32_t',
  umode_t: 'unsigned short',
  gfp_t: 'unsigned int',
  fmode_t: 'unsigned int',
  sector_t: 'u64',
  blkcnt_t: 'u64',
  time64_t: '__s64',
  ktime_t: 's64',
  clockid_t: '__kernel_clockid_t',
  bool: '_Bool',
};

const INT_SIGNED = 1;
const INT_BOOL = 4;

export interface BaseType {
  readonly name: string;
  readonly size: number;
  readonly encoding: number;
  readonly float?: true;
}

const signed = (name: string, size: number): BaseType => ({ name, size, encoding: INT_SIGNED });
const unsigned = (name: string, size: number): BaseType => ({ name, size, encoding: 0 });

/** The arithmetic types by their specifiers in alphabetic order, as clang names and encodes them for the BPF target. */
export const BASE_TYPES: Readonly<Record<string, BaseType>> = {
  char: signed('char', 1),
  'char signed': signed('signed char', 1),
  'char unsigned': unsigned('unsigned char', 1),
  short: signed('short', 2),
  'short unsigned': unsigned('unsigned short', 2),
  int: signed('int', 4),
  unsigned: unsigned('unsigned int', 4),
  long: signed('long', 8),
  'long unsigned': unsigned('unsigned long', 8),
  'long long': signed('long long', 8),
  'long long unsigned': unsigned('unsigned long long', 8),
  __int128: signed('__int128', 16),
  '__int128 unsigned': unsigned('unsigned __int128', 16),
  _Bool: { name: '_Bool', size: 1, encoding: INT_BOOL },
  float: { name: 'float', size: 4, encoding: 0, float: true },
  double: { name: 'double', size: 8, encoding: 0, float: true },
  'double long': { name: 'long double', size: 16, encoding: 0, float: true },
};

const SPECIFIERS: ReadonlySet<string> = new Set([
  'char',
  'short',
  'int',
  'long',
  'signed',
  'unsigned',
  '__int128',
  '_Bool',
  'float',
  'double',
]);

export const isBaseSpecifier = (word: string): boolean => SPECIFIERS.has(word === '__signed__' ? 'signed' : word);

/** The arithmetic type that a set of specifiers names; undefined for an impossible mix. */
export const baseTypeOf = (specifiers: readonly string[]): BaseType | undefined => {
  const words = specifiers.map((word) => (word === '__signed__' ? 'signed' : word));
  const has = (word: string): boolean => words.includes(word);
  const kept = words.filter((word) => {
    if (word === 'int') return !(has('short') || has('long') || has('unsigned') || has('signed'));
    if (word === 'signed') return has('char');
    return true;
  });
  if (kept.length === 0) kept.push('int');
  return BASE_TYPES[kept.sort().join(' ')];
};
