# The memory areas of every task by the open-coded iterator, as /proc/PID/maps has them, behind the number of the thread. A task
# shows at most as many areas as `range` says, from an address on; `range` then holds the address to go on from, 0 behind the last.
.license "GPL"
.rodata "const char line[42]" = "%d %08lx-%08lx %s %08lx %02x:%02x %lu %s\n"
.rodata "const char none[17]" = "%d no areas: %d\n"
.map scratch array key_size=4 value_size=4096 max_entries=1
.map range array key_size=4 value_size=16 max_entries=1
.section "iter/task"
.program walk_maps
.expect verdict accept
.expect case "a kernel thread"
.expect world two_processes.world.yaml
.expect over "tid=2"
.expect read_size 65536 1
.expect output "2 no areas: -2\n"
.expect case "one process"
.expect world two_processes.world.yaml
.expect over "pid=100"
.expect read_size 65536 1
.expect output "100 55d0c0000000-55d0c0020000 r-xp 00000000 08:01 1001 /bin/sh\n100 55d0c0020000-55d0c0024000 rw-p 00020000 08:01 1001 /bin/sh\n100 7ffd10000000-7ffd10021000 rw-p 00000000 00:00 0 \n"
  r6 = r1
  w1 = 0
  *(u32 *)(r10 -12) = w1
  r1 = scratch ll
  r2 = r10
  r2 += -12
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r9 = r0
  r1 = range ll
  r2 = r10
  r2 += -12
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  *(u64 *)(r10 -120) = r0
  r7 = *(u64 *)(r6 +8)
  if r7 == 0 goto out
  r1 = *(u64 *)(r6 +0)
  r1 = *(u64 *)(r1 +0)
  *(u64 *)(r10 -8) = r1
  r1 = 0
  *(u64 *)(r10 -128) = r1
  r1 = r10
  r1 += -112
  r2 = r7
  r3 = *(u64 *)(r0 +0)
  r4 = 0
  *(u64 *)(r0 +0) = r4
  call bpf_iter_task_vma_new
  if r0 == 0 goto next
  *(u64 *)(r10 -88) = r0
  r1 = *(s32 *)(r7 + offsetof(task_struct, pid))
  *(u64 *)(r10 -96) = r1
  r1 = *(u64 *)(r10 -8)
  r2 = none ll
  w3 = 17
  r4 = r10
  r4 += -96
  w5 = 16
  call bpf_seq_printf
next:
  r1 = r10
  r1 += -112
  call bpf_iter_task_vma_next
  if r0 == 0 goto done
  r8 = r0
  r1 = *(u64 *)(r10 -120)
  r2 = *(u64 *)(r10 -128)
  r3 = *(u64 *)(r1 +8)
  if r3 == 0 goto show
  if r2 < r3 goto show
  r3 = *(u64 *)(r8 + offsetof(vm_area_struct, vm_start))
  *(u64 *)(r1 +0) = r3
  goto done
show:
  r2 += 1
  *(u64 *)(r10 -128) = r2
  r1 = *(s32 *)(r7 + offsetof(task_struct, pid))
  *(u64 *)(r10 -96) = r1
  r1 = *(u64 *)(r8 + offsetof(vm_area_struct, vm_start))
  *(u64 *)(r10 -88) = r1
  r1 = *(u64 *)(r8 + offsetof(vm_area_struct, vm_end))
  *(u64 *)(r10 -80) = r1
  r1 = r10
  r1 += -104
  *(u64 *)(r10 -72) = r1
  r2 = *(u64 *)(r8 + offsetof(vm_area_struct, vm_flags))
  r1 = 0x702d2d2d ll
  r3 = r2
  r3 &= 1
  if r3 == 0 goto write
  r1 += 0x45
write:
  r3 = r2
  r3 &= 2
  if r3 == 0 goto execute
  r1 += 0x4a00
execute:
  r3 = r2
  r3 &= 4
  if r3 == 0 goto shared
  r1 += 0x4b0000
shared:
  r3 = r2
  r3 &= 0x80
  if r3 == 0 goto permissions
  r1 += 0x3000000
permissions:
  *(u64 *)(r10 -104) = r1
  r1 = 0
  *(u64 *)(r10 -64) = r1
  *(u64 *)(r10 -56) = r1
  *(u64 *)(r10 -48) = r1
  *(u64 *)(r10 -40) = r1
  *(u8 *)(r9 +0) = r1
  *(u64 *)(r10 -32) = r9
  r6 = *(u64 *)(r8 + offsetof(vm_area_struct, vm_file))
  if r6 == 0 goto print
  r1 = *(u64 *)(r8 + offsetof(vm_area_struct, vm_pgoff))
  r1 <<= 12
  *(u64 *)(r10 -64) = r1
  r1 = r6
  r1 += offsetof(file, f_path)
  r2 = r9
  w3 = 4096
  call bpf_d_path
  r2 = *(u64 *)(r6 + offsetof(file, f_inode))
  r1 = *(u64 *)(r2 + offsetof(inode, i_ino))
  *(u64 *)(r10 -40) = r1
  r2 = *(u64 *)(r2 + offsetof(inode, i_sb))
  r1 = *(u32 *)(r2 + offsetof(super_block, s_dev))
  r2 = r1
  r2 >>= 20
  *(u64 *)(r10 -56) = r2
  r1 &= 0xfffff
  *(u64 *)(r10 -48) = r1
print:
  r1 = *(u64 *)(r10 -8)
  r2 = line ll
  w3 = 42
  r4 = r10
  r4 += -96
  w5 = 72
  call bpf_seq_printf
  goto next
done:
  r1 = r10
  r1 += -112
  call bpf_iter_task_vma_destroy
out:
  r0 = 0
  exit
