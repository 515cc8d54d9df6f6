# r10 is read only.
.section "socket"
.program frame_pointer_written
.expect verdict reject
.expect errno EACCES
.expect message "frame pointer is read only"
  r10 = 1
  r0 = 0
  exit
