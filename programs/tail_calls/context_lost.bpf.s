# A tail call destroys the registers of its arguments.
.map jumps prog_array key_size=4 value_size=4 max_entries=2
.section "xdp"
.program context_lost
.expect verdict reject
.expect errno EACCES
.expect message "R1 !read_ok"
  r6 = r1
  r2 = jumps ll
  r3 = 0
  call bpf_tail_call
  r0 = *(u32 *)(r1 +0)
  exit
