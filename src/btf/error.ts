/** The error numbers the kernel's BTF code answers with. */
export type BtfErrno =
  | 'E2BIG'
  | 'EACCES'
  | 'EEXIST'
  | 'EFAULT'
  | 'EINVAL'
  | 'ELOOP'
  | 'ENOENT'
  | 'ENOSPC'
  | 'ENOTSUPP'
  | 'ERANGE';

/** Bad BTF: what is wrong, in the kernel's words where it has some, and where. The edges turn it into `Malformed` or a verdict. */
export class BtfError extends Error {
  /** What the system call returns; `EINVAL` unless the kernel has a more special one. */
  readonly errno: BtfErrno;
  /** Byte offset in the blob, where one is known. */
  readonly offset: number | undefined;
  /** Type id, where one is known. */
  readonly typeId: number | undefined;

  constructor(message: string, where: { errno?: BtfErrno; offset?: number; typeId?: number } = {}) {
    super(message);
    this.name = 'BtfError';
    this.errno = where.errno ?? 'EINVAL';
    this.offset = where.offset;
    this.typeId = where.typeId;
  }
}
