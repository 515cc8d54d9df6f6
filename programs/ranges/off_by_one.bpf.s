# One past the end of the value.
.map values array key_size=4 value_size=64 max_entries=4
.section "socket"
.program off_by_one
.expect verdict reject
.expect errno EACCES
.expect message "R6 max value is outside of the allowed memory range"
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = values ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r6 = r0
  call bpf_get_prandom_u32
  if r0 > 64 goto out
  r6 += r0
  r1 = *(u8 *)(r6 +0)
out:
  r0 = 0
  exit
