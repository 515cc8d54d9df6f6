import { type ErrnoName, errnoName } from '../contracts/errors.ts';

/** A system call as it was made, in the manner of strace. */
export interface SystemCall {
  readonly pid: number;
  readonly name: string;
  /** arguments, as they stand between the parentheses */
  readonly args: string;
  /** not negative, or a negative error number */
  readonly result: number;
}

/** What strerror says. */
const ERROR_TEXTS: Readonly<Record<ErrnoName, string>> = {
  EPERM: 'Operation not permitted',
  ENOENT: 'No such file or directory',
  ESRCH: 'No such process',
  EINTR: 'Interrupted system call',
  EIO: 'Input/output error',
  ENXIO: 'No such device or address',
  E2BIG: 'Argument list too long',
  EBADF: 'Bad file descriptor',
  EAGAIN: 'Resource temporarily unavailable',
  ENOMEM: 'Cannot allocate memory',
  EACCES: 'Permission denied',
  EFAULT: 'Bad address',
  EBUSY: 'Device or resource busy',
  EEXIST: 'File exists',
  ENODEV: 'No such device',
  ENOTDIR: 'Not a directory',
  EISDIR: 'Is a directory',
  EINVAL: 'Invalid argument',
  ENFILE: 'Too many open files in system',
  EMFILE: 'Too many open files',
  EFBIG: 'File too large',
  ENOSPC: 'No space left on device',
  ESPIPE: 'Illegal seek',
  EROFS: 'Read-only file system',
  EDOM: 'Numerical argument out of domain',
  ERANGE: 'Numerical result out of range',
  EDEADLK: 'Resource deadlock avoided',
  ENAMETOOLONG: 'File name too long',
  ENOSYS: 'Function not implemented',
  ENOTEMPTY: 'Directory not empty',
  ELOOP: 'Too many levels of symbolic links',
  ENODATA: 'No data available',
  ETIME: 'Timer expired',
  EPROTO: 'Protocol error',
  EBADMSG: 'Bad message',
  EOVERFLOW: 'Value too large for defined data type',
  EPROTONOSUPPORT: 'Protocol not supported',
  EOPNOTSUPP: 'Operation not supported',
  EAFNOSUPPORT: 'Address family not supported by protocol',
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  ENETUNREACH: 'Network is unreachable',
  ENOBUFS: 'No buffer space available',
  EISCONN: 'Transport endpoint is already connected',
  ENOTCONN: 'Transport endpoint is not connected',
  ETIMEDOUT: 'Connection timed out',
  EALREADY: 'Operation already in progress',
  ESTALE: 'Stale file handle',
  ECANCELED: 'Operation canceled',
  ENOTSUPP: 'Unknown error 524',
};

/** `%m` for a positive error number. */
export const errorText = (errno: number): string => ERROR_TEXTS[errnoName(errno) as ErrnoName] ?? `Unknown error ${errno}`;

/** `io_uring_setup(2, {…}) = 6`, or ` = -1 EFAULT (Bad address)`. */
export function callText({ name, args, result }: SystemCall): string {
  const answer = result >= 0 ? String(result) : `-1 ${errnoName(-result)} (${errorText(-result)})`;
  return `${name}(${args}) = ${answer}`;
}
