# A global function takes no structs.
.c { struct pair { int a; int b; }; }
.section "tc"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "Arg#0 type STRUCT in f() is not supported yet."
  r1 = 0
  call f
  r0 = 0
  exit
.func "int f(struct pair p)"
  r0 = 0
  exit
