# A key that is not initialised as far as it is read is read all the same.
.map counters array key_size=4 value_size=8 max_entries=4
.section "xdp"
.program short_key
.expect verdict accept
  r2 = r10
  r2 += -4
  r1 = counters ll
  call bpf_map_lookup_elem
  r0 = 2
  exit
