# A kfunc that may sleep is not called where nothing may.
.section "lsm.s/file_open"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "kernel func bpf_copy_from_user_str is sleepable within rcu_read_lock region"
  call bpf_rcu_read_lock
  r1 = r10
  r1 += -16
  r2 = 8
  r3 = 0
  r4 = 0
  call bpf_copy_from_user_str
  call bpf_rcu_read_unlock
  r0 = 0
  exit
