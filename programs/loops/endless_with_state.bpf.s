# Nothing changes from one round to the next.
.section "socket"
.program endless_with_state
.expect verdict reject
.expect errno EINVAL
.expect message "old state: R0=P0 R1=0 R10=fp0"
  r0 = 0
  r1 = 0
again:
  r1 = 0
  if r0 == 0 goto again
  exit
