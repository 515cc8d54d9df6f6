# The comparison may stand the other way round.
.section "xdp"
.program compare_end_first
.expect verdict accept
.expect return 2
  r2 = *(u32 *)(r1 +0)
  r3 = *(u32 *)(r1 +4)
  r4 = r2
  r4 += 14
  if r3 < r4 goto out
  r0 = *(u8 *)(r2 +13)
out:
  r0 = 2
  exit
