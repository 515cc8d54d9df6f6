# One that is read again does.
.section "socket"
.program live_pointer
.expect verdict reject
.expect errno EACCES
.expect message "R6 invalid mem access 'scalar'"
  call bpf_get_prandom_u32
  r6 = r10
  if r0 > 7 goto join
  r6 = 1
join:
  r0 = 0
  *(u64 *)(r6 -8) = r0
  exit
