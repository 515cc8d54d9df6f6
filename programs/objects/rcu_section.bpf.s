# An RCU section is entered and left.
.section "syscall"
.program "int prog(void *ctx)"
.expect verdict accept
  call bpf_rcu_read_lock
  call bpf_rcu_read_unlock
  r0 = 0
  exit
