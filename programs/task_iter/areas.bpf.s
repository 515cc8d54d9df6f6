# Every memory area of every task: thread, range, flags (1 read, 2 write, 4 execute, 128 shared), offset in pages.
.license "GPL"
.rodata "const char line[24]" = "%d %08lx-%08lx %02x %x\n"
.section "iter/task_vma"
.program dump_task_vma
.expect verdict accept
.expect case "one process"
.expect world two_processes.world.yaml
.expect over "pid=100"
.expect read_size 65536 1
.expect output "100 55d0c0000000-55d0c0020000 05 0\n100 55d0c0020000-55d0c0024000 03 20\n100 7ffd10000000-7ffd10021000 03 ffffffde\n"
  r6 = r1
  r7 = *(u64 *)(r6 +8)
  r8 = *(u64 *)(r6 +16)
  if r7 == 0 goto out
  if r8 == 0 goto out
  r1 = *(s32 *)(r7 + offsetof(task_struct, pid))
  *(u64 *)(r10 -40) = r1
  r1 = *(u64 *)(r8 + offsetof(vm_area_struct, vm_start))
  *(u64 *)(r10 -32) = r1
  r1 = *(u64 *)(r8 + offsetof(vm_area_struct, vm_end))
  *(u64 *)(r10 -24) = r1
  r1 = *(u64 *)(r8 + offsetof(vm_area_struct, vm_flags))
  r1 &= 0x87
  *(u64 *)(r10 -16) = r1
  r1 = *(u64 *)(r8 + offsetof(vm_area_struct, vm_pgoff))
  *(u64 *)(r10 -8) = r1
  r1 = *(u64 *)(r6 +0)
  r1 = *(u64 *)(r1 +0)
  r2 = line ll
  w3 = 24
  r4 = r10
  r4 += -40
  w5 = 40
  call bpf_seq_printf
out:
  r0 = 0
  exit
