# A look-up may fail.
.map flows hash key_size=4 value_size=8 max_entries=4
.section "xdp"
.program missing_null_check
.expect verdict reject
.expect errno EACCES
.expect message "R0 invalid mem access 'map_value_or_null'"
  call bpf_get_prandom_u32
  *(u32 *)(r10 -4) = r0
  r2 = r10
  r2 += -4
  r1 = flows ll
  call bpf_map_lookup_elem
  r0 = *(u64 *)(r0 +0)
  exit
