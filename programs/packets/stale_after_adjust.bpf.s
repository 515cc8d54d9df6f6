# bpf_xdp_adjust_head invalidates packet pointers.
.section "xdp"
.program stale_after_adjust
.expect verdict reject
.expect errno EACCES
.expect message "R7 invalid mem access 'scalar'"
  r6 = r1
  r2 = *(u32 *)(r1 +0)
  r3 = *(u32 *)(r1 +4)
  r7 = r2
  r7 += 14
  if r7 > r3 goto out
  r7 = r2
  r1 = r6
  r2 = 0
  call bpf_xdp_adjust_head
  r0 = *(u8 *)(r7 +0)
out:
  r0 = 2
  exit
