# A call destroys r1 to r5.
.section "socket"
.program clobbered
.expect verdict reject
.expect errno EACCES
.expect message "R1 !read_ok"
  call bpf_get_prandom_u32
  r0 = r1
  exit
