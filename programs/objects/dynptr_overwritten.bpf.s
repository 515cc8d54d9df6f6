# A store to a slot of a dynptr ends it.
.section "tc"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "Expected an initialized dynptr as arg #0"
  r2 = 0
  r3 = r10
  r3 += -16
  call bpf_dynptr_from_skb
  *(u8 *)(r10 -1) = 0
  r1 = r10
  r1 += -16
  r2 = 0
  r3 = 0
  r4 = 16
  call bpf_dynptr_slice
  if r0 == 0 goto out
out:
  r0 = 0
  exit
