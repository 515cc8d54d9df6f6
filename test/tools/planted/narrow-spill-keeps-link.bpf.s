# The low half of r6 is 0 where r6 is not: bit 31 alone of its low half is unknown.
.section "tc"
.program "int prog(void *ctx)" flags=BPF_F_TEST_STATE_FREQ
  call bpf_get_prandom_u32
  r6 = r0
  r6 <<= 31
  r7 = r6
  *(u32 *)(r10 -16) = r6
  r8 = *(u32 *)(r10 -16)
  if r8 != 0 goto out
  r1 = r10
  r1 += r7
  r0 = *(u8 *)(r1 -8)
out:
  r0 = 0
  exit
