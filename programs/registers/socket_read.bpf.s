# A socket that was found is read and given back.
.section "tc"
.program "int prog(void *ctx)"
.expect verdict accept
  *(u64 *)(r10 -8) = 0
  *(u32 *)(r10 -12) = 0
  r2 = r10
  r2 += -12
  r3 = 12
  r4 = 0
  r5 = 0
  call bpf_sk_lookup_tcp
  if r0 == 0 goto out
  r6 = r0
  w7 = *(u32 *)(r6 +4)
  r1 = r6
  call bpf_sk_release
out:
  r0 = 0
  exit
