# The key stands outside the frame.
.map counters array key_size=4 value_size=8 max_entries=4
.section "xdp"
.program key_outside_stack
.expect verdict reject
.expect errno EINVAL
.expect message "invalid read from stack R2 off=-2 size=4"
  r2 = r10
  r2 += -2
  r1 = counters ll
  call bpf_map_lookup_elem
  r0 = 2
  exit
