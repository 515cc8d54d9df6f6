# A constant key inside an array needs no check.
.map counters array key_size=4 value_size=8 max_entries=4
.section "xdp"
.program constant_key_in_range
.expect verdict accept
.expect return 0
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = counters ll
  call bpf_map_lookup_elem
  r0 = *(u64 *)(r0 +0)
  exit
