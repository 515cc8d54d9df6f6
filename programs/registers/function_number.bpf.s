# A number is no function.
.section "socket"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "R2 type=scalar expected=func"
  r1 = 10
  r2 = 0
  r3 = 0
  r4 = 0
  call bpf_loop
  r0 = 0
  exit
