# A header length from the packet, bounded and checked.
.section "xdp"
.program variable_header
.expect verdict accept
.expect return 2
  r2 = *(u32 *)(r1 +0)
  r3 = *(u32 *)(r1 +4)
  r4 = r2
  r4 += 20
  if r4 > r3 goto out
  r5 = *(u8 *)(r2 +0)
  r5 &= 15
  r5 <<= 2
  r2 += r5
  r4 = r2
  r4 += 8
  if r4 > r3 goto out
  r0 = *(u64 *)(r2 +0)
out:
  r0 = 2
  exit
