# A load at an odd place.
.section "xdp"
.program packet_unaligned_load
.expect verdict reject
.expect errno EACCES
.expect message "misaligned packet access off 2+0+0+12 size 4"
.expect flags BPF_F_STRICT_ALIGNMENT
  r2 = *(u32 *)(r1 +0)
  r3 = *(u32 *)(r1 +4)
  r4 = r2
  r4 += 18
  if r4 > r3 goto out
  r0 = *(u32 *)(r2 +12)
out:
  r0 = 2
  exit
