# A record in a dynptr is submitted, even where none was to be had.
.map ring ringbuf max_entries=4096
.section "tc"
.program "int prog(void *ctx)"
.expect verdict accept
  r1 = ring ll
  r2 = 8
  r3 = 0
  r4 = r10
  r4 += -16
  call bpf_ringbuf_reserve_dynptr
  r1 = r10
  r1 += -16
  r2 = 0
  call bpf_ringbuf_submit_dynptr
  r0 = 0
  exit
