# The queue of an AF_XDP socket.
.map sockets xskmap key_size=4 value_size=4 max_entries=2
.section "xdp"
.program "int prog(void *ctx)"
.expect verdict accept
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = sockets ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  w1 = *(u32 *)(r0 +0)
out:
  r0 = 2
  exit
