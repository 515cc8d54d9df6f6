# A constant shift by the width of the register is refused.
.section "socket"
.program shift_by_too_much
.expect verdict reject
.expect errno EINVAL
.expect message "invalid shift 64"
  r0 = 1
  r0 <<= 64
  exit
