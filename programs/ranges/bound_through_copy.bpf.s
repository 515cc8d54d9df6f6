# A bound on a copy is one on the original.
.map values array key_size=4 value_size=64 max_entries=4
.section "socket"
.program bound_through_copy
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
  r1 = r0
  if r1 > 63 goto out
  r6 += r0
  r1 = *(u8 *)(r6 +0)
out:
  r0 = 0
  exit
