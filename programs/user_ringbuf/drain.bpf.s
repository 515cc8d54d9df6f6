# Drains a ring that user space fills, and prints each sample's length. Answers what the helper did.
.license "GPL"
.rodata "const char line[11]" = "%d bytes\n"
.map samples user_ringbuf max_entries=4096
.section "raw_tp/sys_enter"
.program "int drain(void *ctx)"
.expect verdict accept
  r1 = samples ll
  r2 = take ll
  r3 = 0
  r4 = 0
  call bpf_user_ringbuf_drain
  exit
.func "static long take(struct bpf_dynptr *sample, void *ctx)"
  call bpf_dynptr_size
  *(u64 *)(r10 -8) = r0
  r1 = line ll
  w2 = 11
  r3 = r10
  r3 += -8
  w4 = 8
  call bpf_trace_vprintk
  r0 = 0
  exit
