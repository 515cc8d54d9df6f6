# An iterator stands at one place.
.section "tc"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "iter_num"
  *(u64 *)(r10 -8) = 0
  *(u64 *)(r10 -16) = 0
  call bpf_get_prandom_u32
  r0 &= 8
  r1 = r10
  r1 += -16
  r1 += r0
  r2 = 0
  r3 = 3
  call bpf_iter_num_new
  r0 = 0
  exit
