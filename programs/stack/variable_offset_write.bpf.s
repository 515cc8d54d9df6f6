# A write at an unknown offset may hit any of the bytes.
.section "socket"
.program variable_offset_write
.expect verdict accept
  r1 = 1
  *(u64 *)(r10 -8) = r1
  *(u64 *)(r10 -16) = r1
  call bpf_get_prandom_u32
  r0 &= 8
  r2 = r10
  r2 += -16
  r2 += r0
  r1 = 2
  *(u64 *)(r2 +0) = r1
  r0 = *(u64 *)(r10 -8)
  exit
