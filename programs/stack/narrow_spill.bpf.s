# The low half of a spilled number keeps its range.
.section "socket"
.program narrow_spill
.expect verdict accept
.expect return 0
  call bpf_get_prandom_u32
  r0 &= 0xff
  *(u32 *)(r10 -8) = r0
  r1 = *(u32 *)(r10 -8)
  if r1 > 0xff goto bad
  r0 = 0
  exit
bad:
  r0 = *(u64 *)(r1 +0)
  exit
