# Pointer arguments are read whole.
.section "tp_btf/sched_switch"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "invalid bpf_context access off=8 size=4"
  r0 = *(u32 *)(r1 +8)
  exit
