# The dynptr of a callback is not changed.
.map ring user_ringbuf max_entries=4096
.c { struct bpf_dynptr; }
.section "tc"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "cannot release unowned const bpf_dynptr"
  r1 = ring ll
  r2 = each ll
  r3 = 0
  r4 = 0
  call bpf_user_ringbuf_drain
  r0 = 0
  exit
.func "static long each(struct bpf_dynptr *d, void *ctx)"
  r2 = 0
  call bpf_ringbuf_discard_dynptr
  r0 = 0
  exit
