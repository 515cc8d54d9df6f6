import { ERRNO } from '../contracts/errors.ts';
import type { Process } from './process.ts';

/** Processes by descriptor. Source: kernel/pid.c, kernel/fork.c. */

/** pidfd_open: the thread group leader with this number. */
export const pidfdOpen = (process: Process, pid: number, flags = 0): number =>
  process.call('pidfd_open', `${pid}, ${flags}`, () => {
    if (flags !== 0 || pid <= 0) return -ERRNO.EINVAL;
    const task = process.system.kernel.tasks.byPid(pid);
    if (task === null) return -ERRNO.ESRCH;
    if (!task.isLeader) return -ERRNO.ENOENT;
    return process.installAnonymous('[pidfd]', { operations: 'pidfs_file_operations', privateData: task.offset, poll: () => 0 });
  });

/** pidfd_getfd: a descriptor for a file that another process has open. */
export const pidfdGetfd = (process: Process, pidfd: number, fd: number, flags = 0): number =>
  process.call('pidfd_getfd', `${pidfd}, ${fd}, ${flags}`, () => {
    if (flags !== 0) return -ERRNO.EINVAL;
    const { kernel } = process.system;
    const handle = process.file(pidfd);
    if (handle === null) return -ERRNO.EBADF;
    const task = handle.behaviour.operations === 'pidfs_file_operations' ? kernel.tasks.at(handle.behaviour.privateData) : null;
    if (task === null) return -ERRNO.EBADF;
    if (task.isDead) return -ERRNO.ESRCH;
    const file = task.files?.get(fd) ?? null;
    if (file === null || !file.get()) return -ERRNO.EBADF;
    const installed = process.files.install(file);
    if (installed < 0) file.put();
    return installed;
  });
