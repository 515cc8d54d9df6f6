# The frames of a chain share 512 bytes.
.section "xdp"
.program stack_too_large
.expect verdict reject
.expect errno EACCES
.expect message "combined stack size of 2 calls is 608. Too large"
  r1 = 0
  *(u64 *)(r10 -304) = r1
  call deeper
  exit
.func deeper
  r1 = 0
  *(u64 *)(r10 -304) = r1
  r0 = 0
  exit
