# An argument of a tracepoint is a kernel struct.
.section "tp_btf/sched_switch"
.program "int prog(void *ctx)"
.expect verdict accept
  r2 = *(u64 *)(r1 +8)
  r3 = *(u64 *)(r2 +0)
  r0 = 0
  exit
