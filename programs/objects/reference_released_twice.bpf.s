# A task is released once.
.section "tp_btf/sched_switch"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "arg#0 pointer type STRUCT task_struct must point to scalar, or struct with scalar"
  call bpf_get_current_task_btf
  r1 = r0
  call bpf_task_acquire
  if r0 == 0 goto out
  r6 = r0
  r1 = r0
  call bpf_task_release
  r1 = r6
  call bpf_task_release
out:
  r0 = 0
  exit
