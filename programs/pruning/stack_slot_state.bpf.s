# A spilled pointer on one path, a number on the other.
.section "socket"
.program stack_slot_state
.expect verdict reject
.expect errno EACCES
.expect message "R1 invalid mem access 'scalar'"
  call bpf_get_prandom_u32
  *(u64 *)(r10 -8) = r10
  if r0 > 7 goto join
  r1 = 0
  *(u64 *)(r10 -8) = r1
join:
  r1 = *(u64 *)(r10 -8)
  *(u64 *)(r1 -16) = r0
  r0 = 0
  exit
