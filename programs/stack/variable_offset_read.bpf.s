# Reading at a bounded offset within written bytes.
.section "socket"
.program variable_offset_read
.expect verdict accept
.expect return 0
  r1 = 0
  *(u64 *)(r10 -8) = r1
  *(u64 *)(r10 -16) = r1
  call bpf_get_prandom_u32
  r0 &= 8
  r2 = r10
  r2 += -16
  r2 += r0
  r0 = *(u64 *)(r2 +0)
  exit
