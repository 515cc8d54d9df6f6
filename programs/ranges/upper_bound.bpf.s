# A comparison bounds a value from above.
.map values array key_size=4 value_size=64 max_entries=4
.section "socket"
.program upper_bound
.expect verdict accept
.expect return 0
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = values ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r6 = r0
  call bpf_get_prandom_u32
  if r0 > 63 goto out
  r6 += r0
  r1 = *(u8 *)(r6 +0)
out:
  r0 = 0
  exit
