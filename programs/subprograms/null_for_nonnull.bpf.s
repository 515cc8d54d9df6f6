# Linux 6.18 takes a constant NULL for an argument that is declared never to be NULL: it looks at pointers that may be NULL alone.
.section "tc"
.program "int prog(struct __sk_buff *ctx)"
.expect verdict accept
.expect description "found by the fuzzer: a run reads through NULL"
  r1 = 0
  call f
  r0 = 0
  exit
.func "int f(unsigned long long *p __arg_nonnull)"
  r0 = *(u64 *)(r1 +0)
  exit
