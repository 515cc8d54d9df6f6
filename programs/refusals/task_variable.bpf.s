# Kernel objects are not read at an unknown place.
.section "tp_btf/sched_switch"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "is ptr_task_struct invalid variable offset"
  call bpf_get_prandom_u32
  r6 = r0
  r6 &= 8
  call bpf_get_current_task_btf
  r0 += r6
  r0 = *(u64 *)(r0 +0)
  exit
