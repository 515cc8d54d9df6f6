# The memory areas of the current task, by the open-coded iterator. Answers how many there are.
.license "GPL"
.rodata "const char line[12]" = "%lx-%lx %x\n"
.section "raw_tp/sys_enter"
.program walk
.expect verdict accept
  call bpf_get_current_task_btf
  r2 = r0
  r6 = 0
  r1 = r10
  r1 += -8
  r3 = 0
  call bpf_iter_task_vma_new
  r7 = r0
next:
  r1 = r10
  r1 += -8
  call bpf_iter_task_vma_next
  if r0 == 0 goto done
  r1 = *(u64 *)(r0 + offsetof(vm_area_struct, vm_start))
  *(u64 *)(r10 -32) = r1
  r1 = *(u64 *)(r0 + offsetof(vm_area_struct, vm_end))
  *(u64 *)(r10 -24) = r1
  r1 = *(u64 *)(r0 + offsetof(vm_area_struct, vm_flags))
  r1 &= 7
  *(u64 *)(r10 -16) = r1
  r6 += 1
  r1 = line ll
  w2 = 12
  r3 = r10
  r3 += -32
  w4 = 24
  call bpf_trace_vprintk
  goto next
done:
  r1 = r10
  r1 += -8
  call bpf_iter_task_vma_destroy
  r0 = r6
  if w7 s>= 0 goto out
  r0 = r7
out:
  exit
