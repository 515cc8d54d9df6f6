# Metadata in front of an XDP packet, compared with where the packet begins.
.section "xdp"
.program "int prog(void *ctx)"
.expect verdict accept
  r2 = *(u32 *)(r1 +8)
  r3 = *(u32 *)(r1 +0)
  r4 = r2
  r4 += 4
  if r4 > r3 goto out
  w0 = *(u32 *)(r2 +0)
out:
  r0 = 2
  exit
