# Two branches that meet again.
.section "socket"
.program diamond
.expect verdict accept
  r0 = 0
  call bpf_get_prandom_u32
  if r0 > 10 goto big
  r0 = 1
  goto out
big:
  r0 = 2
out:
  exit
