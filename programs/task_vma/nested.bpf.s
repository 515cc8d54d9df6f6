# A second walk over the same memory while the first one is under way, and bpf_find_vma beside it: both want mmap_lock again. Readers
# share it, unless somebody waits to write: with the lock held across the walk, both are turned away then.
.license "GPL"
.rodata "const char begun[7]" = "begun\n"
.rodata "const char line[20]" = "new %d, find_vma %d"
.section "raw_tp/sys_enter"
.program "int walk(void *ctx)"
.expect verdict accept
.expect case "three areas"
.expect world three_areas.world.yaml
.expect with base "task_vma=v3" "task_vma=6.7"
.expect return 0
.expect printk "begun"
.expect printk "new 0, find_vma 0"
.expect case "another thread wants to change areas"
.expect world writer.world.yaml
.expect printk "begun"
.expect printk "new 0, find_vma -2"
.expect with "task_vma=v3" "task_vma=6.7"
.expect printk "begun"
.expect printk "new -16, find_vma -16"
  call bpf_get_current_task_btf
  r7 = r0
  r1 = r10
  r1 += -8
  r2 = r7
  r3 = 0
  call bpf_iter_task_vma_new
  r6 = r0
  r1 = begun ll
  w2 = 7
  call bpf_trace_printk
  r1 = r10
  r1 += -16
  r2 = r7
  r3 = 0
  call bpf_iter_task_vma_new
  r8 = r0
  r8 <<= 32
  r8 s>>= 32
  r1 = r7
  r2 = 0x500000
  r3 = seen ll
  r4 = 0
  r5 = 0
  call bpf_find_vma
  *(u64 *)(r10 -24) = r0
  *(u64 *)(r10 -32) = r8
  r1 = r10
  r1 += -16
  call bpf_iter_task_vma_destroy
  r1 = r10
  r1 += -8
  call bpf_iter_task_vma_destroy
  r1 = line ll
  w2 = 20
  r3 = r10
  r3 += -32
  w4 = 16
  call bpf_trace_vprintk
  r0 = r6
  exit
.func "static long seen(struct task_struct *task, struct vm_area_struct *vma, void *ctx)"
  r0 = 0
  exit
