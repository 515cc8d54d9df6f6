# Every open file of every task: thread group, thread, descriptor, path.
.license "GPL"
.rodata "const char line[13]" = "%d %d %d %s\n"
.map scratch array key_size=4 value_size=4096 max_entries=1
.section "iter/task_file"
.program dump_task_file
.expect verdict accept
.expect case "one process"
.expect world two_processes.world.yaml
.expect over "pid=200"
.expect read_size 65536 1
.expect output "200 200 0 /dev/pts/0\n200 200 1 /tmp/log\n200 200 3 /tmp/scratch (deleted)\n200 202 0 /dev/null\n"
  r6 = r1
  r7 = *(u64 *)(r6 +8)
  r8 = *(u64 *)(r6 +24)
  if r7 == 0 goto out
  if r8 == 0 goto out
  w2 = 0
  *(u32 *)(r10 -36) = w2
  r1 = scratch ll
  r2 = r10
  r2 += -36
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r9 = r0
  r1 = r8
  r1 += offsetof(file, f_path)
  r2 = r9
  w3 = 4096
  call bpf_d_path
  r1 = *(s32 *)(r7 + offsetof(task_struct, tgid))
  *(u64 *)(r10 -32) = r1
  r1 = *(s32 *)(r7 + offsetof(task_struct, pid))
  *(u64 *)(r10 -24) = r1
  r1 = *(u32 *)(r6 +16)
  *(u64 *)(r10 -16) = r1
  *(u64 *)(r10 -8) = r9
  r1 = *(u64 *)(r6 +0)
  r1 = *(u64 *)(r1 +0)
  r2 = line ll
  w3 = 13
  r4 = r10
  r4 += -32
  w5 = 32
  call bpf_seq_printf
out:
  r0 = 0
  exit
