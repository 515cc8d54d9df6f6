# The offset is 3, or 9, which is out of bounds: the number that is added to r7 makes the difference.
.section "tc"
.program "int prog(void *ctx)" flags=BPF_F_TEST_STATE_FREQ
  call bpf_get_prandom_u32
  if r0 & 0x1 goto other
  r6 = 1
  goto join
other:
  r6 = 7
join:
  r7 = 2
  r7 += r6
  r1 = r10
  r1 += r7
  r0 = *(u8 *)(r1 -8)
out:
  r0 = 0
  exit
