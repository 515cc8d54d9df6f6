# Linux 6.18 does not follow precision through an atomic that fetches from the stack: the way with an unknown number in the slot is
# covered by the one with a zero there, and what stands behind the branch is never explored.
.section "tc"
.program "int prog(void *ctx)" flags=BPF_F_TEST_STATE_FREQ
.expect verdict accept
.expect description "found by the fuzzer: the branch is taken in a run, never in the verifier"
  call bpf_get_prandom_u32
  r1 = r0
  if r0 != 0x7 goto join
  r1 = 0
join:
  *(u64 *)(r10 -8) = r1
  r2 = 0
  r2 = atomic64_xchg((u64 *)(r10 -8), r2)
  if r2 <= 0x9 goto out
  r8 = 0
out:
  r0 = 0
  exit
