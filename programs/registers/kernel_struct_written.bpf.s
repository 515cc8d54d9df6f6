# A kernel struct is only read.
.section "tp_btf/sched_switch"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "only read is supported"
  r2 = *(u64 *)(r1 +8)
  *(u32 *)(r2 +0) = 0
  r0 = 0
  exit
