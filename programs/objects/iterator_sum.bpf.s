# A loop over ten numbers.
.section "tc"
.program "int prog(void *ctx)"
.expect verdict accept
  r7 = 0
  r1 = r10
  r1 += -8
  r2 = 0
  r3 = 10
  call bpf_iter_num_new
again:
  r1 = r10
  r1 += -8
  call bpf_iter_num_next
  if r0 == 0 goto done
  w1 = *(u32 *)(r0 +0)
  r7 += r1
  goto again
done:
  r1 = r10
  r1 += -8
  call bpf_iter_num_destroy
  r0 = 0
  exit
