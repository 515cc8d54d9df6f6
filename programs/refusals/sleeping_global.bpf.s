# A global function that may sleep is not called in an RCU section.
.section "lsm.s/file_open"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "global functions that may sleep are not allowed in non-sleepable context"
  call bpf_rcu_read_lock
  call f
  call bpf_rcu_read_unlock
  r0 = 0
  exit
.func "int f(void)"
  r1 = r10
  r1 += -16
  r2 = 8
  r3 = 0
  call bpf_copy_from_user
  r0 = 0
  exit
