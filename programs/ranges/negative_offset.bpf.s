# A value minus a larger one is below the map value.
.map values array key_size=4 value_size=64 max_entries=4
.section "socket"
.program negative_offset
.expect verdict reject
.expect errno EACCES
.expect message "R0 min value is outside of the allowed memory range"
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = values ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r0 += -1
  r1 = *(u8 *)(r0 +0)
out:
  r0 = 0
  exit
