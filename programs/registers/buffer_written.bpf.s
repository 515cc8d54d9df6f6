# Keys of map elements are only read.
.section "iter/bpf_map_elem"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "R2 cannot write into rdonly_buf"
  r2 = *(u64 *)(r1 +16)
  if r2 == 0 goto out
  *(u32 *)(r2 +0) = 0
out:
  r0 = 0
  exit
