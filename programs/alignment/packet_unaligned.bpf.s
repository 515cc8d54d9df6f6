# IP starts 14 bytes into the packet, with two bytes in front to align it.
.section "xdp"
.program packet_unaligned
.expect verdict accept
.expect return 2
.expect flags BPF_F_STRICT_ALIGNMENT
  r2 = *(u32 *)(r1 +0)
  r3 = *(u32 *)(r1 +4)
  r4 = r2
  r4 += 18
  if r4 > r3 goto out
  r0 = *(u32 *)(r2 +14)
out:
  r0 = 2
  exit
