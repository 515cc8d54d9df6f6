# Iterators over tasks are begun in an RCU section.
.section "lsm.s/file_open"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "kernel func bpf_iter_task_new requires RCU critical section protection"
  r1 = r10
  r1 += -32
  r2 = 0
  r3 = 0
  call bpf_iter_task_new
  r1 = r10
  r1 += -32
  call bpf_iter_task_destroy
  r0 = 0
  exit
