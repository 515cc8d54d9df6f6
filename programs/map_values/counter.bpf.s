# Counts packets in an array.
.map counters array key_size=4 value_size=8 max_entries=4
.section "xdp"
.program counter
.expect verdict accept
.expect return 2
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = counters ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r1 = 1
  lock *(u64 *)(r0 +0) += r1
out:
  r0 = 2
  exit
