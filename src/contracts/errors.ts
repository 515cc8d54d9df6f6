/**
 * The only things that are thrown. `Reject` and `Unmodelled` become verdicts, `Fault` a run's end, `Malformed` exit code 2;
 * a `Bug` is never shown as a verdict.
 */

export type ErrnoName = keyof typeof ERRNO;

/** Linux x86-64 error numbers, include/uapi/asm-generic/errno*.h. */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  EFBIG: 27,
  ENOSPC: 28,
  ESPIPE: 29,
  EROFS: 30,
  EDOM: 33,
  ERANGE: 34,
  EDEADLK: 35,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  ENODATA: 61,
  ETIME: 62,
  EPROTO: 71,
  EBADMSG: 74,
  EOVERFLOW: 75,
  EPROTONOSUPPORT: 93,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETUNREACH: 101,
  ENOBUFS: 105,
  EISCONN: 106,
  ENOTCONN: 107,
  ETIMEDOUT: 110,
  EALREADY: 114,
  ESTALE: 116,
  ECANCELED: 125,
  ENOTSUPP: 524,
} as const;

const NAME_OF = new Map<number, ErrnoName>(Object.entries(ERRNO).map(([name, value]) => [value, name as ErrnoName]));

/** The name of a positive error number; `E<number>` for one without a name here. */
export const errnoName = (value: number): string => NAME_OF.get(value) ?? `E${value}`;

/** The program is refused, in the kernel's words (`message` is one log line or several, without the last newline). */
export class Reject extends Error {
  readonly errno: ErrnoName;
  /** slot index of the refused instruction, or null when no single one is to blame */
  insn: number | null;
  constructor(errno: ErrnoName, message: string, insn: number | null = null) {
    super(message);
    this.name = 'Reject';
    this.errno = errno;
    this.insn = insn;
  }
}

/** Linux knows it and we do not yet; `feature` is the name that the verdict and the parity page show. */
export class Unmodelled extends Error {
  readonly feature: string;
  constructor(feature: string, detail = '') {
    super(detail ? `${feature}: ${detail}` : feature);
    this.name = 'Unmodelled';
    this.feature = feature;
  }
}

export type FaultReason =
  | 'out-of-bounds'
  | 'use-after-free'
  | 'read-only'
  | 'null'
  | 'unmapped'
  | 'misaligned'
  | 'bad-instruction'
  | 'bad-call'
  | 'stack-overflow'
  | 'budget'
  | 'deadlock'
  | 'leak';

/** The machine trapped. */
export class Fault extends Error {
  readonly reason: FaultReason;
  /** the guest address as 64-bit number, or null when the fault is not about memory */
  readonly address: bigint | null;
  /** slot index of the instruction, filled in by the machine */
  insn: number | null;
  constructor(reason: FaultReason, message: string, address: bigint | null = null, insn: number | null = null) {
    super(message);
    this.name = 'Fault';
    this.reason = reason;
    this.address = address;
    this.insn = insn;
  }
}

export interface Diagnostic {
  readonly message: string;
  /** 1-based; null where the input is binary */
  readonly line: number | null;
  readonly column: number | null;
  /** the offending source line, for the caret */
  readonly sourceLine?: string;
}

/** Bad text, ELF, BTF or world file. `diagnostics` has at least one entry. */
export class Malformed extends Error {
  readonly file: string | null;
  readonly diagnostics: readonly Diagnostic[];
  constructor(message: string, file: string | null = null, diagnostics: readonly Diagnostic[] = []) {
    super(message);
    this.name = 'Malformed';
    this.file = file;
    this.diagnostics = diagnostics.length > 0 ? diagnostics : [{ message, line: null, column: null }];
  }
}

/** An invariant of ours broke. */
export class Bug extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Bug';
  }
}

/** The arm of a closed union that cannot be reached. */
export function never(value: never, where: string): never {
  throw new Bug(`${where}: unexpected ${JSON.stringify(value)}`);
}
