# An iterator over map elements reads the key.
.section "iter/bpf_map_elem"
.program "int prog(void *ctx)"
.expect verdict accept
  r2 = *(u64 *)(r1 +16)
  if r2 == 0 goto out
  w0 = *(u32 *)(r2 +0)
out:
  r0 = 0
  exit
