# An iterator is ended.
.section "tc"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "Unreleased reference id="
  r1 = r10
  r1 += -8
  r2 = 0
  r3 = 10
  call bpf_iter_num_new
  r0 = 0
  exit
