# A buffer on the stack and its constant size.
.section "tc"
.program memory_and_size
.expect verdict accept
.expect return 0
  r3 = r10
  r3 += -16
  r2 = 0
  r4 = 16
  call bpf_skb_load_bytes
  r0 = *(u64 *)(r10 -16)
  exit
