# A spilled constant comes back as itself.
.section "socket"
.program spill_and_fill
.expect verdict accept
.expect return 7
  r1 = 7
  *(u64 *)(r10 -8) = r1
  r0 = *(u64 *)(r10 -8)
  exit
