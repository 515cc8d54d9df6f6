# The sum of a range of numbers, by the open-coded iterator.
.license "GPL"
.section "raw_tp/sys_enter"
.program "int sum(void *ctx)"
.expect verdict accept
.expect case "-10 to 10"
.expect return -10
  r1 = r10
  r1 += -8
  w2 = -10
  w3 = 10
  call bpf_iter_num_new
  r6 = 0
next:
  r1 = r10
  r1 += -8
  call bpf_iter_num_next
  if r0 == 0 goto done
  r1 = *(s32 *)(r0 +0)
  r6 += r1
  goto next
done:
  r1 = r10
  r1 += -8
  call bpf_iter_num_destroy
  r0 = r6
  exit
