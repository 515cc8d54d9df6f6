# The memory areas of the current task.
.section "raw_tp/sys_enter"
.program "int prog(void *ctx)"
.expect verdict accept
  call bpf_get_current_task_btf
  r1 = r10
  r1 += -8
  r2 = r0
  r3 = 0
  call bpf_iter_task_vma_new
again:
  r1 = r10
  r1 += -8
  call bpf_iter_task_vma_next
  if r0 == 0 goto done
  r6 = *(u64 *)(r0 +0)
  goto again
done:
  r1 = r10
  r1 += -8
  call bpf_iter_task_vma_destroy
  r0 = 0
  exit
