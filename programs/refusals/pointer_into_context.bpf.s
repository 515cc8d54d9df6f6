# Pointers are not stored in the context.
.section "socket"
.program "int prog(void *ctx)"
.expect verdict accept
.expect unprivileged verdict reject
.expect unprivileged message "R10 leaks addr into ctx"
  *(u64 *)(r1 +48) = r10
  r0 = 0
  exit
