# A number that is no helper.
.section "socket"
.program unknown_helper
.expect verdict reject
.expect errno EINVAL
.expect message "invalid func unknown#9999"
  call 9999
  r0 = 0
  exit
