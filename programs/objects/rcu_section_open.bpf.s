# A program does not end inside of an RCU section.
.section "syscall"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "cannot be used inside bpf_rcu_read_lock-ed region"
  call bpf_rcu_read_lock
  r0 = 0
  exit
