# The area of another task that holds an address, by bpf_find_vma: prints its range and flags. As merged it takes mmap_lock of any task;
# since 2026 it wants more of a task that is not the current one.
.license "GPL"
.rodata "const char line[12]" = "%lx-%lx %x\n"
.section "tp_btf/sched_switch"
.program "int find(void *ctx)"
.expect verdict accept
.expect case "an address of the program's text"
.expect world two_tasks.world.yaml
.expect with base "find_vma=2026"
.expect return 0
.expect printk "400000-401000 5"
.expect case "interrupts are off"
.expect world two_tasks_interrupts_off.world.yaml
.expect return 0
.expect printk "400000-401000 5"
.expect with "find_vma=2026"
.expect return -EBUSY
.expect case "alloc_lock is held"
.expect world two_tasks_alloc_lock.world.yaml
.expect return 0
.expect printk "400000-401000 5"
.expect with "find_vma=2026"
.expect return -EBUSY
.expect case "mmap_lock is held for writing"
.expect world two_tasks_locked.world.yaml
.expect with base "find_vma=2026"
.expect return -EBUSY
.expect case "a task without such an area"
.expect world two_tasks_elsewhere.world.yaml
.expect with base "find_vma=2026"
.expect return -ENOENT
  w1 = 200
  call bpf_task_from_pid
  if r0 == 0 goto none
  r6 = r0
  r1 = r6
  r2 = 0x400800
  r3 = seen ll
  r4 = 0
  r5 = 0
  call bpf_find_vma
  r7 = r0
  r1 = r6
  call bpf_task_release
  r0 = r7
  exit
none:
  r0 = 0
  exit
.func "static long seen(struct task_struct *task, struct vm_area_struct *vma, void *ctx)"
  r6 = r2
  r1 = *(u64 *)(r6 + offsetof(vm_area_struct, vm_start))
  *(u64 *)(r10 -24) = r1
  r1 = *(u64 *)(r6 + offsetof(vm_area_struct, vm_end))
  *(u64 *)(r10 -16) = r1
  r1 = *(u64 *)(r6 + offsetof(vm_area_struct, vm_flags))
  r1 &= 7
  *(u64 *)(r10 -8) = r1
  r1 = line ll
  w2 = 12
  r3 = r10
  r3 += -24
  w4 = 24
  call bpf_trace_vprintk
  r0 = 0
  exit
