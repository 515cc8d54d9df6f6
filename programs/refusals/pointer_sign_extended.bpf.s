# A pointer is not cut and extended.
.section "socket"
.program "int prog(void *ctx)"
.expect verdict accept
.expect unprivileged verdict reject
.expect unprivileged message "R10 sign-extension part of pointer"
  r1 = (s32)r10
  r0 = 0
  exit
