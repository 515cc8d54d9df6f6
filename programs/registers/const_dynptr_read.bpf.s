# A callback of bpf_user_ringbuf_drain reads its sample.
.map samples user_ringbuf max_entries=4096
.section "tracepoint/syscalls/sys_enter_nanosleep"
.program "int prog(void *ctx)"
.expect verdict accept
  r1 = samples ll
  r2 = take ll
  r3 = 0
  r4 = 0
  call bpf_user_ringbuf_drain
  r0 = 0
  exit
.func "static long take(struct bpf_dynptr *sample, void *data)"
  r2 = 0
  r3 = 8
  call bpf_dynptr_data
  r0 = 0
  exit
