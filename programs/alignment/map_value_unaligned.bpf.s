# Map values are checked only when asked to be strict.
.map values array key_size=4 value_size=64 max_entries=4
.section "socket"
.program map_value_unaligned
.expect verdict accept
.expect return 0
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = values ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r1 = *(u64 *)(r0 +3)
out:
  r0 = 0
  exit
