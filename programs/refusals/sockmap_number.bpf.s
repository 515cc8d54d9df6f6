# A map of sockets takes sockets.
.map sockets sockmap key_size=4 value_size=4 max_entries=1
.section "tc"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "R3 type=fp expected="
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r3 = r2
  r4 = 0
  r1 = sockets ll
  call bpf_map_update_elem
  r0 = 0
  exit
