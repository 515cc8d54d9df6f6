# Loaded and checked anew, they are good again.
.section "xdp"
.program reload_after_adjust
.expect verdict accept
.expect return 2
  r6 = r1
  r2 = -8
  call bpf_xdp_adjust_head
  r2 = *(u32 *)(r6 +0)
  r3 = *(u32 *)(r6 +4)
  r4 = r2
  r4 += 8
  if r4 > r3 goto out
  r1 = 0
  *(u64 *)(r2 +0) = r1
  r0 = 2
  exit
out:
  r0 = 1
  exit
