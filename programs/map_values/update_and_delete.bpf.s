# The usual operations on a hash.
.map flows hash key_size=4 value_size=8 max_entries=4
.section "xdp"
.program update_and_delete
.expect verdict accept
.expect return 5
  *(u32 *)(r10 -4) = 9
  *(u64 *)(r10 -16) = 5
  r2 = r10
  r2 += -4
  r3 = r10
  r3 += -16
  r1 = flows ll
  r4 = 0
  call bpf_map_update_elem
  r2 = r10
  r2 += -4
  r1 = flows ll
  call bpf_map_lookup_elem
  if r0 == 0 goto none
  r6 = *(u64 *)(r0 +0)
  r2 = r10
  r2 += -4
  r1 = flows ll
  call bpf_map_delete_elem
  r0 = r6
  exit
none:
  r0 = 0
  exit
