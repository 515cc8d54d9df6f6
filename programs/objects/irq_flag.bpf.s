# Interrupt states are restored innermost first.
.section "tc"
.program "int prog(void *ctx)"
.expect verdict accept
  r1 = r10
  r1 += -8
  call bpf_local_irq_save
  r1 = r10
  r1 += -16
  call bpf_local_irq_save
  r1 = r10
  r1 += -16
  call bpf_local_irq_restore
  r1 = r10
  r1 += -8
  call bpf_local_irq_restore
  r0 = 0
  exit
