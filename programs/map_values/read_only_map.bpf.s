# Programs cannot write into a map that was made read-only for them.
.map settings array key_size=4 value_size=8 max_entries=1 flags=BPF_F_RDONLY_PROG
.section "xdp"
.program read_only_map
.expect verdict reject
.expect errno EACCES
.expect message "write into map forbidden, value_size=8 off=0 size=8"
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = settings ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r1 = 1
  *(u64 *)(r0 +0) = r1
out:
  r0 = 2
  exit
