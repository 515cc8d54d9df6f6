# A map is named by its place in an array of descriptors only where an array is given. Found by the fuzzer: it used to pass.
.map values array key_size=4 value_size=8 max_entries=1
.section "xdp"
.program "int prog(void *ctx)"
.expect verdict reject
.expect errno EPROTO
.expect message "fd_idx without fd_array is invalid"
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = map_idx(0) ll
  call bpf_map_lookup_elem
  r0 = 2
  exit
