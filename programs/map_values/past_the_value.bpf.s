# Reading behind the value.
.map counters array key_size=4 value_size=8 max_entries=4
.section "xdp"
.program past_the_value
.expect verdict reject
.expect errno EACCES
.expect message "R0 min value is outside of the allowed memory range"
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = counters ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r0 = *(u64 *)(r0 +4)
out:
  r0 = 2
  exit
