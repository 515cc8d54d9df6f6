# Programs only read what a devmap holds, whatever flags it was made with. Found by the fuzzer: it used to pass.
.map ports devmap key_size=4 value_size=8 max_entries=2
.section "xdp"
.program "int prog(void *ctx)"
.expect verdict reject
.expect errno EACCES
.expect message "write into map forbidden, value_size=8 off=0 size=4"
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = ports ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  *(u32 *)(r0 +0) = 1
out:
  r0 = 2
  exit
