# A dynptr is not memory.
.map samples user_ringbuf max_entries=4096
.section "tracepoint/syscalls/sys_enter_nanosleep"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "R1 invalid mem access 'dynptr_ptr'"
  r1 = samples ll
  r2 = take ll
  r3 = 0
  r4 = 0
  call bpf_user_ringbuf_drain
  r0 = 0
  exit
.func "static long take(struct bpf_dynptr *sample, void *data)"
  r0 = *(u64 *)(r1 +0)
  r0 = 0
  exit
