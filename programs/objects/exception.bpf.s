# A program may end from inside of a function.
.section "tc"
.program "int prog(void *ctx)"
.expect verdict accept
.expect return 1
  call f
  r0 = 0
  exit
.func "static int f(void *ctx)"
  r1 = 1
  call bpf_throw
  r0 = 0
  exit
