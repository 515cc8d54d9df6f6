# The check covers 13 bytes, the load needs 14.
.section "xdp"
.program one_byte_short
.expect verdict reject
.expect errno EACCES
.expect message "R2 offset is outside of the packet"
  r2 = *(u32 *)(r1 +0)
  r3 = *(u32 *)(r1 +4)
  r4 = r2
  r4 += 13
  if r4 > r3 goto out
  r0 = *(u16 *)(r2 +12)
out:
  r0 = 2
  exit
