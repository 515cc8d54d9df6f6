# Every task: thread group, thread, name.
.license "GPL"
.rodata "const char head[15]" = "tgid pid comm\n"
.rodata "const char line[10]" = "%d %d %s\n"
.section "iter/task"
.program dump_task
.expect verdict accept
.expect case "everything"
.expect world two_processes.world.yaml
.expect read_size 65536 1
.expect output "tgid pid comm\n1 1 init\n2 2 kthreadd\n100 100 sh\n200 200 worker\n200 201 worker/1\n200 202 worker/2\n"
.expect case "one thread"
.expect world two_processes.world.yaml
.expect over "tid=202"
.expect read_size 65536 1
.expect output "tgid pid comm\n200 202 worker/2\n"
  r6 = r1
  r1 = *(u64 *)(r6 +0)
  r7 = *(u64 *)(r1 +0)
  r8 = *(u64 *)(r6 +8)
  if r8 == 0 goto out
  r2 = *(u64 *)(r1 +16)
  if r2 != 0 goto body
  r1 = r7
  r2 = head ll
  w3 = 15
  r4 = 0
  w5 = 0
  call bpf_seq_printf
body:
  r1 = *(s32 *)(r8 + offsetof(task_struct, tgid))
  *(u64 *)(r10 -24) = r1
  r1 = *(s32 *)(r8 + offsetof(task_struct, pid))
  *(u64 *)(r10 -16) = r1
  r8 += offsetof(task_struct, comm)
  *(u64 *)(r10 -8) = r8
  r1 = r7
  r2 = line ll
  w3 = 10
  r4 = r10
  r4 += -24
  w5 = 24
  call bpf_seq_printf
out:
  r0 = 0
  exit
