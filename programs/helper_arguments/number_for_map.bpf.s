# A number where a map is wanted.
.section "xdp"
.program number_for_map
.expect verdict reject
.expect errno EACCES
.expect message "R1 type=scalar expected=map_ptr"
  r1 = 5
  r2 = r10
  r2 += -4
  call bpf_map_lookup_elem
  r0 = 0
  exit
