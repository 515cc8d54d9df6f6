# A record of a ring buffer is written and submitted.
.map ring ringbuf max_entries=4096
.section "tracepoint/syscalls/sys_enter_nanosleep"
.program "int prog(void *ctx)"
.expect verdict accept
  r1 = ring ll
  r2 = 8
  r3 = 0
  call bpf_ringbuf_reserve
  if r0 == 0 goto out
  r6 = r0
  *(u64 *)(r6 +0) = 1
  r1 = r6
  r2 = 0
  call bpf_ringbuf_submit
out:
  r0 = 0
  exit
