# The memory areas of the current task, by the open-coded iterator. Answers how many there are.
.license "GPL"
.rodata "const char line[12]" = "%lx-%lx %x\n"
.section "raw_tp/sys_enter"
.program walk
.expect verdict accept
.expect case "three areas"
.expect world three_areas.world.yaml
.expect with base "task_vma=v3" "task_vma=6.7"
.expect return 3
.expect printk "400000-401000 5"
.expect printk "500000-600000 3"
.expect printk "7ffd10000000-7ffd10021000 3"
.expect case "mmap_lock is held for writing"
.expect world locked.world.yaml
.expect return 2
.expect printk "400000-401000 5"
.expect printk "7ffd10000000-7ffd10021000 3"
.expect with "task_vma=v3" "task_vma=6.7"
.expect return -EBUSY
.expect case "another thread changes areas while the walk is under way"
.expect world writer.world.yaml
.expect return 3
.expect printk "400000-401000 5"
.expect printk "480000-481000 1"
.expect printk "7ffd10000000-7ffd10021000 3"
.expect with "task_vma=v3" "task_vma=6.7"
.expect return 3
.expect printk "400000-401000 5"
.expect printk "500000-600000 3"
.expect printk "7ffd10000000-7ffd10021000 3"
.expect case "an allocation fails in an NMI"
.expect world nmi_without_memory.world.yaml
.expect return -EBUSY
.expect with "task_vma=v3" "task_vma=6.7"
.expect return -ENOMEM
.expect case "an allocation fails"
.expect world without_memory.world.yaml
.expect with base "task_vma=v3" "task_vma=6.7"
.expect return -ENOMEM
.expect case "interrupts are off"
.expect world interrupts_off.world.yaml
.expect return -EBUSY
.expect with "task_vma=v3" "task_vma=6.7"
.expect return 3
.expect printk "400000-401000 5"
.expect printk "500000-600000 3"
.expect printk "7ffd10000000-7ffd10021000 3"
.expect case "alloc_lock is held"
.expect world alloc_lock.world.yaml
.expect return -EBUSY
.expect with "task_vma=v3" "task_vma=6.7"
.expect return 3
.expect printk "400000-401000 5"
.expect printk "500000-600000 3"
.expect printk "7ffd10000000-7ffd10021000 3"
.expect case "a kernel thread"
.expect world kernel_thread.world.yaml
.expect with base "task_vma=v3" "task_vma=6.7"
.expect return -ENOENT
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
