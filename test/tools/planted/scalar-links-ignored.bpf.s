# r6 and r7 are the same number on one path only: there alone the bound for r6 holds for r7.
.section "tc"
.program "int prog(void *ctx)" flags=BPF_F_TEST_STATE_FREQ
  call bpf_get_prandom_u32
  r6 = r0
  call bpf_get_prandom_u32
  r8 = r0
  call bpf_get_prandom_u32
  if r0 & 0x1 goto other
  r7 = r6
  goto join
other:
  r7 = r8
join:
  if r6 > 0xffffff goto out
  r7 >>= 24
  r1 = r10
  r1 += r7
  r0 = *(u8 *)(r1 -8)
out:
  r0 = 0
  exit
