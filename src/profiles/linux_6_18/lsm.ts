/**
 * Sets of LSM hooks, kernel/bpf/bpf_lsm.c, by the functions that programs attach to. Hooks of security options that the
 * kernel is built without are not in its BTF, so no program reaches them.
 */
const hooks = (names: string): ReadonlySet<string> =>
  new Set(
    names
      .split(/\s+/)
      .filter((name) => name !== '')
      .map((name) => `bpf_lsm_${name}`),
  );

/** Called where a program may sleep. */
export const SLEEPABLE_LSM_HOOKS = hooks(`
bpf bpf_map bpf_map_create bpf_map_free bpf_prog bpf_prog_load bpf_prog_free bpf_token_create bpf_token_free bpf_token_cmd
bpf_token_capable bprm_check_security bprm_committed_creds bprm_committing_creds bprm_creds_for_exec bprm_creds_from_file
capget capset cred_prepare file_ioctl file_lock file_open file_post_open file_receive inode_create inode_free_security
inode_getattr inode_getxattr inode_mknod inode_need_killpriv inode_post_setxattr inode_post_removexattr inode_readlink
inode_removexattr inode_rename inode_rmdir inode_setattr inode_setxattr inode_symlink inode_unlink kernel_module_request
kernel_read_file kernfs_init_security path_unlink path_mkdir path_rmdir path_truncate path_symlink path_link path_rename
path_chmod path_chown mmap_file netlink_send path_notify release_secctx sb_alloc_security sb_eat_lsm_opts sb_kern_mount
sb_mount sb_remount sb_set_mnt_opts sb_show_options sb_statfs sb_umount settime socket_accept socket_bind socket_connect
socket_create socket_getpeername socket_getpeersec_dgram socket_getsockname socket_getsockopt socket_listen
socket_post_create socket_recvmsg socket_sendmsg socket_shutdown socket_socketpair syslog task_alloc task_prctl
task_setscheduler userns_create
`);

/** Their pointer arguments are not trusted: the object is not yet, or no longer, alive. */
export const UNTRUSTED_LSM_HOOKS = hooks(`
bpf_map_free bpf_prog_free file_alloc_security file_free_security sk_alloc_security sk_free_security task_free
`);

/** They return 0 or 1. */
export const BOOL_LSM_HOOKS = hooks(`
xfrm_state_pol_flow_match audit_rule_known inode_xattr_skipcap
`);

/** No program may attach to them. */
export const DISABLED_LSM_HOOKS = hooks(`
vm_enough_memory inode_need_killpriv inode_getsecurity inode_listsecurity inode_copy_up_xattr getselfattr getprocattr
setprocattr key_getsecurity audit_rule_match ismaclabel
`);

/** They act on the current task's cgroup, whatever their arguments. */
export const CURRENT_LSM_HOOKS = hooks(`
sk_alloc_security sk_free_security
`);
