# A context pointer with an offset is no context pointer.
.section "socket"
.program changed_pointer
.expect verdict reject
.expect errno EACCES
.expect message "dereference of modified ctx ptr R1 off=4 disallowed"
  r1 += 4
  r0 = *(u32 *)(r1 +0)
  exit
