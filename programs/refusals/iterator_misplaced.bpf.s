# An iterator stands at a multiple of eight.
.section "tc"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "expected uninitialized iter_num as arg #0"
  r1 = r10
  r1 += -12
  r2 = 0
  r3 = 3
  call bpf_iter_num_new
  r0 = 0
  exit
