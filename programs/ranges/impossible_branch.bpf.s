# A branch that no value can take is not looked at.
.section "socket"
.program impossible_branch
.expect verdict accept
.expect return 0
  r1 = 5
  if r1 > 7 goto bad
  r0 = 0
  exit
bad:
  r0 = *(u64 *)(r1 +0)
  exit
