# What a global function points to has a size.
.c { struct nothing; }
.section "tc"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "size cannot be determined"
  r1 = 0
  call f
  r0 = 0
  exit
.func "int f(struct nothing *p)"
  r0 = 0
  exit
