# Both branches lead to the same state: the second is safe at once.
.section "socket"
.program same_state
.expect verdict accept
.expect return 0
  call bpf_get_prandom_u32
  if r0 > 5 goto next
next:
  r0 = 0
  if r0 == 1 goto +0
  exit
