# A task that was acquired is released.
.section "tp_btf/sched_switch"
.program "int prog(void *ctx)"
.expect verdict accept
  call bpf_get_current_task_btf
  r1 = r0
  call bpf_task_acquire
  if r0 == 0 goto out
  r1 = r0
  call bpf_task_release
out:
  r0 = 0
  exit
