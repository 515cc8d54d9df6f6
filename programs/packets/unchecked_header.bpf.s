# A packet may be shorter than its header.
.section "xdp"
.program unchecked_header
.expect verdict reject
.expect errno EACCES
.expect message "R2 offset is outside of the packet"
  r2 = *(u32 *)(r1 +0)
  r3 = *(u32 *)(r1 +4)
  r0 = *(u16 *)(r2 +12)
  exit
