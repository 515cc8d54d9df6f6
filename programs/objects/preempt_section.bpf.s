# Sections without preemption nest.
.section "tc"
.program "int prog(void *ctx)"
.expect verdict accept
  call bpf_preempt_disable
  call bpf_preempt_disable
  call bpf_preempt_enable
  call bpf_preempt_enable
  r0 = 0
  exit
