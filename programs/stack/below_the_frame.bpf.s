# A frame has 512 bytes.
.section "socket"
.program below_the_frame
.expect verdict reject
.expect errno EACCES
.expect message "invalid write to stack R10 off=-520 size=8"
  r0 = 0
  *(u64 *)(r10 -520) = r0
  exit
