# Arguments of a traced function are read at multiples of eight.
.section "tp_btf/sched_switch"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "invalid bpf_context access off=4 size=8"
  r0 = *(u64 *)(r1 +4)
  exit
