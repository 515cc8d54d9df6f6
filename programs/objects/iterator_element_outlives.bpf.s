# An element does not outlive its iterator.
.section "tc"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "R6 invalid mem access 'scalar'"
  r1 = r10
  r1 += -8
  r2 = 0
  r3 = 10
  call bpf_iter_num_new
  r1 = r10
  r1 += -8
  call bpf_iter_num_next
  r6 = r0
  r1 = r10
  r1 += -8
  call bpf_iter_num_destroy
  if r6 == 0 goto out
  w1 = *(u32 *)(r6 +0)
out:
  r0 = 0
  exit
