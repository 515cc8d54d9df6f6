# Iterators over tasks end with their RCU section.
.section "lsm.s/file_open"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "expected an RCU CS when using bpf_iter_task_next"
  call bpf_rcu_read_lock
  r1 = r10
  r1 += -32
  r2 = 0
  r3 = 0
  call bpf_iter_task_new
  call bpf_rcu_read_unlock
  call bpf_rcu_read_lock
  r1 = r10
  r1 += -32
  call bpf_iter_task_next
  r1 = r10
  r1 += -32
  call bpf_iter_task_destroy
  call bpf_rcu_read_unlock
  r0 = 0
  exit
