# Every process, by the open-coded iterator over tasks: thread group and name. Answers how many there are.
.license "GPL"
.rodata "const char line[7]" = "%d %s\n"
.section "raw_tp/sys_enter"
.program "int walk(void *ctx)"
.expect verdict accept
.expect case "a shell and its child"
.expect world ../task_iter/two_processes.world.yaml
.expect return 5
.expect printk "0 swapper/0"
.expect printk "1 init"
.expect printk "2 kthreadd"
.expect printk "100 sh"
.expect printk "200 worker"
  r1 = r10
  r1 += -24
  r2 = 0
  w3 = 0
  call bpf_iter_task_new
  r6 = 0
next:
  r1 = r10
  r1 += -24
  call bpf_iter_task_next
  if r0 == 0 goto done
  r6 += 1
  r1 = *(s32 *)(r0 + offsetof(task_struct, tgid))
  *(u64 *)(r10 -40) = r1
  r0 += offsetof(task_struct, comm)
  *(u64 *)(r10 -32) = r0
  r1 = line ll
  w2 = 7
  r3 = r10
  r3 += -40
  w4 = 16
  call bpf_trace_vprintk
  goto next
done:
  r1 = r10
  r1 += -24
  call bpf_iter_task_destroy
  r0 = r6
  exit
