# The Ethernet header, once it is known to be there.
.section "xdp"
.program checked_header
.expect verdict accept
.expect return 1
  r2 = *(u32 *)(r1 +0)
  r3 = *(u32 *)(r1 +4)
  r4 = r2
  r4 += 14
  if r4 > r3 goto out
  r0 = *(u16 *)(r2 +12)
  r0 = 1
  exit
out:
  r0 = 2
  exit
