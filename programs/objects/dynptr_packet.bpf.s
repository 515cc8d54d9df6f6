# A dynptr over a packet counts its bytes; what is filled through it is read back.
.section "tc"
.program "int prog(struct __sk_buff *skb)"
.expect verdict accept
.expect return 171
  r2 = 0
  r3 = r10
  r3 += -16
  call bpf_dynptr_from_skb
  r1 = r10
  r1 += -16
  r2 = 20
  r3 = 4
  r4 = 0xab
  call bpf_dynptr_memset
  r1 = r10
  r1 += -20
  r2 = 4
  r3 = r10
  r3 += -16
  r4 = 22
  r5 = 0
  call bpf_dynptr_read
  r0 = *(u8 *)(r10 -19)
  exit
