# The end of a packet is for comparing.
.section "xdp"
.program "int prog(void *ctx)"
.expect verdict accept
  r2 = *(u32 *)(r1 +0)
  r3 = *(u32 *)(r1 +4)
  r4 = r2
  r4 += 1
  if r3 < r4 goto out
  w0 = *(u8 *)(r2 +0)
out:
  r0 = 2
  exit
