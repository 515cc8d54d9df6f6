# "ll" begins at the third character of "hello".
.section "tc"
.program "int prog(void *ctx)"
.expect verdict accept
.expect return 2
  r1 = 0x6f6c6c6568 ll
  *(u64 *)(r10 -8) = r1
  r1 = 0x6c6c ll
  *(u64 *)(r10 -16) = r1
  r1 = r10
  r1 += -8
  r2 = r10
  r2 += -16
  call bpf_strstr
  exit
