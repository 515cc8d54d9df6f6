# The first way into the loop makes r7 what r8 is before anything relies on r7: only around the loop is it known that r8 matters.
.section "tc"
.program "int prog(void *ctx)" flags=BPF_F_TEST_STATE_FREQ
  call bpf_get_prandom_u32
  r7 = 1
  if r0 & 0x1 goto other
  r8 = 1
  goto head
other:
  r8 = 100
head:
  may_goto out
  call bpf_get_prandom_u32
  if r0 & 0x1 goto use
  r7 = r8
  goto head
use:
  r1 = r10
  r1 += r7
  r0 = *(u8 *)(r1 -8)
out:
  r0 = 0
  exit
