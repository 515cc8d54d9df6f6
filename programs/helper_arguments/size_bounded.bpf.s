# A size between bounds.
.section "tc"
.program size_bounded
.expect verdict accept
.expect return 0
  r6 = r1
  call bpf_get_prandom_u32
  r0 &= 7
  r0 += 1
  r1 = r6
  r3 = r10
  r3 += -16
  r2 = 0
  r4 = r0
  call bpf_skb_load_bytes
  r0 = 0
  exit
