# Nothing stands above the frame pointer.
.section "socket"
.program above_the_frame
.expect verdict reject
.expect errno EACCES
.expect message "invalid write to stack R10 off=0 size=8"
  r0 = 0
  *(u64 *)(r10 +0) = r0
  exit
