# What a program returns has to be set on every path.
.section "socket"
.program r0_not_set
.expect verdict reject
.expect errno EACCES
.expect message "R5 !read_ok"
  call bpf_get_prandom_u32
  r6 = r0
  r1 = 0
  if r6 > 3 goto out
  r0 = 0
  exit
out:
  r0 = r1
  r0 = r5
  exit
