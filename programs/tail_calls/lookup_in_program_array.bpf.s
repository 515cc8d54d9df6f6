# Programs cannot look into a program array.
.map jumps prog_array key_size=4 value_size=4 max_entries=2
.section "xdp"
.program lookup_in_program_array
.expect verdict reject
.expect errno EINVAL
.expect message "cannot pass map_type 3 into func bpf_map_lookup_elem#1"
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = jumps ll
  call bpf_map_lookup_elem
  r0 = 0
  exit
