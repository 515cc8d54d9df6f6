# The offset is what one of two paths left in the slot: 1, or 70, which is out of bounds.
.section "tc"
.program "int prog(void *ctx)" flags=BPF_F_TEST_STATE_FREQ
  call bpf_get_prandom_u32
  if r0 & 0x1 goto other
  *(u64 *)(r10 -16) = 1
  goto join
other:
  *(u64 *)(r10 -16) = 70
join:
  r7 = *(u64 *)(r10 -16)
  r1 = r10
  r1 += r7
  r0 = *(u8 *)(r1 -8)
out:
  r0 = 0
  exit
