# A traced function has so many arguments.
.section "tp_btf/sched_switch"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "invalid bpf_context access off=64 size=8"
  r0 = *(u64 *)(r1 +64)
  exit
