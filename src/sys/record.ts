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

/** What strerror says, for the errors that the modelled system calls give. */
const ERROR_TEXTS: Partial<Record<ErrnoName, string>> = {
  EPERM: 'Operation not permitted',
  ENOENT: 'No such file or directory',
  ESRCH: 'No such process',
  EINTR: 'Interrupted system call',
  EIO: 'Input/output error',
  E2BIG: 'Argument list too long',
  EBADF: 'Bad file descriptor',
  EAGAIN: 'Resource temporarily unavailable',
  ENOMEM: 'Cannot allocate memory',
  EACCES: 'Permission denied',
  EFAULT: 'Bad address',
  EBUSY: 'Device or resource busy',
  EEXIST: 'File exists',
  EINVAL: 'Invalid argument',
  EMFILE: 'Too many open files',
  ENOSPC: 'No space left on device',
  EDOM: 'Numerical argument out of domain',
  EDEADLK: 'Resource deadlock avoided',
  ELOOP: 'Too many levels of symbolic links',
  ENODATA: 'No data available',
  EOVERFLOW: 'Value too large for defined data type',
  EOPNOTSUPP: 'Operation not supported',
};

/** `%m` for a positive error number. */
export const errorText = (errno: number): string => ERROR_TEXTS[errnoName(errno) as ErrnoName] ?? `Unknown error ${errno}`;

/** `io_uring_setup(2, {…}) = 6`, or ` = -1 EFAULT (Bad address)`. */
export function callText({ name, args, result }: SystemCall): string {
  const answer = result >= 0 ? String(result) : `-1 ${errnoName(-result)} (${errorText(-result)})`;
  return `${name}(${args}) = ${answer}`;
}
