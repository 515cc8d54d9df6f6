# Metadata may be absent.
.section "xdp"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "R2 offset is outside of the packet"
  r2 = *(u32 *)(r1 +8)
  w0 = *(u32 *)(r2 +0)
  r0 = 2
  exit
