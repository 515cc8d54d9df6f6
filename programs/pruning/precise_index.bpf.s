# A number that became an offset is precise: other numbers are not the same state.
.map values array key_size=4 value_size=64 max_entries=4
.section "socket"
.program precise_index
.expect verdict reject
.expect errno EACCES
.expect message "R6 min value is outside of the allowed memory range"
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = values ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r6 = r0
  call bpf_get_prandom_u32
  r7 = 8
  if r0 > 100 goto join
  r7 = 100
join:
  r6 += r7
  r1 = *(u8 *)(r6 +0)
out:
  r0 = 0
  exit
