# A function has five arguments.
.section "tc"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "> 5 args"
  r1 = 0
  r2 = 0
  r3 = 0
  r4 = 0
  r5 = 0
  call f
  r0 = 0
  exit
.func "int f(int a, int b, int c, int d, int e, int g)"
  r0 = 0
  exit
