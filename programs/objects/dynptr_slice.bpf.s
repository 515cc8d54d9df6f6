# A slice of a packet is read inside.
.section "tc"
.program "int prog(void *ctx)"
.expect verdict accept
  r2 = 0
  r3 = r10
  r3 += -16
  call bpf_dynptr_from_skb
  r1 = r10
  r1 += -16
  r2 = 0
  r3 = 0
  r4 = 16
  call bpf_dynptr_slice
  if r0 == 0 goto out
  r1 = *(u64 *)(r0 +8)
out:
  r0 = 0
  exit
