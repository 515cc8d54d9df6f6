# Linux 6.18 takes the frame pointer itself for the slot below it: the iterator at -8 counts as destroyed, but the bytes above the
# frame are what the call is given.
.section "tc"
.program "int prog(void *ctx)"
.expect verdict accept
.expect description "found by the fuzzer: a run writes beyond the top of the frame"
  r1 = r10
  r1 += -8
  r2 = 0
  r3 = 0
  call bpf_iter_num_new
  r1 = r10
  call bpf_iter_num_destroy
  r0 = 0
  exit
