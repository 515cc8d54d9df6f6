# may_goto ends a loop that the verifier cannot bound.
.section "socket"
.program may_goto
.expect verdict accept
again:
  may_goto out
  call bpf_get_prandom_u32
  if r0 != 0 goto again
out:
  r0 = 0
  exit
