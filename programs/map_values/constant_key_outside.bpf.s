# A constant key outside is never found.
.map counters array key_size=4 value_size=8 max_entries=4
.section "xdp"
.program constant_key_outside
.expect verdict reject
.expect errno EACCES
.expect message "R0 invalid mem access 'map_value_or_null'"
  *(u32 *)(r10 -4) = 4
  r2 = r10
  r2 += -4
  r1 = counters ll
  call bpf_map_lookup_elem
  r0 = *(u64 *)(r0 +0)
  exit
