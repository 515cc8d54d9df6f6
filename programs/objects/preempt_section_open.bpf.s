# Each section without preemption is left.
.section "tc"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "cannot be used inside bpf_preempt_disable-ed region"
  call bpf_preempt_disable
  r0 = 0
  exit
