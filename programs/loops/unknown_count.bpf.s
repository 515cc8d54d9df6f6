# A loop of unknown, bounded length.
.section "socket"
.program unknown_count
.expect verdict accept
.expect return 0
  call bpf_get_prandom_u32
  r0 &= 15
  r1 = 0
again:
  if r1 >= r0 goto out
  r1 += 1
  goto again
out:
  r0 = 0
  exit
