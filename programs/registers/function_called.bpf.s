# bpf_loop calls a function.
.section "socket"
.program "int prog(void *ctx)"
.expect verdict accept
  r1 = 10
  r2 = body ll
  r3 = 0
  r4 = 0
  call bpf_loop
  r0 = 0
  exit
.func "static long body(int index, void *data)"
  r0 = 0
  exit
