# One path leaves a number, the other one a pointer, on which this arithmetic is prohibited.
.section "tc"
.program "int prog(void *ctx)" flags=BPF_F_TEST_STATE_FREQ
  call bpf_get_prandom_u32
  if r0 & 0x1 goto other
  r7 = 1
  goto join
other:
  r7 = r10
join:
  r7 &= 7
  r0 = 0
  exit
