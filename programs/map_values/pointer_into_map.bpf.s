# A pointer cannot be added to a pointer.
.map counters array key_size=4 value_size=8 max_entries=4
.section "xdp"
.program pointer_into_map
.expect verdict reject
.expect errno EACCES
.expect message "R0 pointer += pointer prohibited"
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = counters ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r1 = r0
  r0 += r1
out:
  r0 = 2
  exit
