# An iterator is one of its kind.
.section "raw_tp/sys_enter"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "expected an initialized iter_num as arg #0"
  call bpf_get_current_task_btf
  r1 = r10
  r1 += -8
  r2 = r0
  r3 = 0
  call bpf_iter_task_vma_new
  r1 = r10
  r1 += -8
  call bpf_iter_num_next
  r0 = 0
  exit
