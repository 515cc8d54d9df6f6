# A helper that may sleep is not called where nothing may.
.section "lsm.s/file_open"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "sleepable helper bpf_copy_from_user#148 in rcu_read_lock region"
  call bpf_rcu_read_lock
  r1 = r10
  r1 += -16
  r2 = 8
  r3 = 0
  call bpf_copy_from_user
  call bpf_rcu_read_unlock
  r0 = 0
  exit
