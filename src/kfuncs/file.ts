import type { Kfunc } from '../contracts/kfunc.ts';
import { GENERIC } from './availability.ts';

/** Files, extended attributes and keys. */
export const fileKfuncs: readonly Kfunc[] = [
  {
    name: 'bpf_get_task_exe_file',
    summary: 'The file that a task executes.',
    declaration: 'struct file *bpf_get_task_exe_file(struct task_struct *task)',
    flags: ['KF_ACQUIRE', 'KF_RET_NULL', 'KF_TRUSTED_ARGS'],
    available: [{ types: ['lsm'] }],
  },
  {
    name: 'bpf_put_file',
    summary: 'Drops a reference to a file.',
    declaration: 'void bpf_put_file(struct file *file)',
    flags: ['KF_RELEASE'],
    available: [{ types: ['lsm'] }],
  },
  {
    name: 'bpf_path_d_path',
    summary: 'Path of a struct path as text.',
    declaration: 'int bpf_path_d_path(const struct path *path, char *buf, size_t buf__sz)',
    flags: ['KF_TRUSTED_ARGS'],
    available: [{ types: ['lsm'] }],
  },
  {
    name: 'bpf_get_dentry_xattr',
    summary: 'Reads an extended attribute of a directory entry.',
    declaration: 'int bpf_get_dentry_xattr(struct dentry *dentry, const char *name__str, struct bpf_dynptr *value_p)',
    flags: ['KF_TRUSTED_ARGS', 'KF_SLEEPABLE'],
    available: [{ types: ['lsm'] }],
  },
  {
    name: 'bpf_get_file_xattr',
    summary: 'Reads an extended attribute of a file.',
    declaration: 'int bpf_get_file_xattr(struct file *file, const char *name__str, struct bpf_dynptr *value_p)',
    flags: ['KF_TRUSTED_ARGS', 'KF_SLEEPABLE'],
    available: [{ types: ['lsm'] }],
  },
  {
    name: 'bpf_set_dentry_xattr',
    summary: 'Sets an extended attribute of a directory entry.',
    declaration:
      'int bpf_set_dentry_xattr(struct dentry *dentry, const char *name__str, const struct bpf_dynptr *value_p, int flags)',
    flags: ['KF_TRUSTED_ARGS', 'KF_SLEEPABLE'],
    available: [{ types: ['lsm'] }],
  },
  {
    name: 'bpf_remove_dentry_xattr',
    summary: 'Removes an extended attribute of a directory entry.',
    declaration: 'int bpf_remove_dentry_xattr(struct dentry *dentry, const char *name__str)',
    flags: ['KF_TRUSTED_ARGS', 'KF_SLEEPABLE'],
    available: [{ types: ['lsm'] }],
  },
  {
    name: 'bpf_lookup_user_key',
    summary: 'The key with a serial number.',
    declaration: 'struct bpf_key *bpf_lookup_user_key(s32 serial, u64 flags)',
    flags: ['KF_ACQUIRE', 'KF_RET_NULL', 'KF_SLEEPABLE'],
    available: GENERIC,
  },
  {
    name: 'bpf_lookup_system_key',
    summary: 'A keyring of the system.',
    declaration: 'struct bpf_key *bpf_lookup_system_key(u64 id)',
    flags: ['KF_ACQUIRE', 'KF_RET_NULL'],
    available: GENERIC,
  },
  {
    name: 'bpf_key_put',
    summary: 'Drops a reference to a key.',
    declaration: 'void bpf_key_put(struct bpf_key *bkey)',
    flags: ['KF_RELEASE'],
    available: GENERIC,
  },
];
