# A global function takes no functions.
.section "tc"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "arg#0 reference type('FUNC_PROTO ') size cannot be determined: -22"
  r1 = 0
  call f
  r0 = 0
  exit
.func "int f(void (*p)(void))"
  r0 = 0
  exit
