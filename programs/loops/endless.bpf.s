# A loop without an end.
.section "socket"
.program endless
.expect verdict reject
.expect errno EINVAL
.expect message "unreachable insn 2"
  r0 = 0
again:
  goto again
  exit
