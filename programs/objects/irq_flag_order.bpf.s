# The outer interrupt state is not restored first.
.section "tc"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "cannot restore irq state out of order"
  r1 = r10
  r1 += -8
  call bpf_local_irq_save
  r1 = r10
  r1 += -16
  call bpf_local_irq_save
  r1 = r10
  r1 += -8
  call bpf_local_irq_restore
  r1 = r10
  r1 += -16
  call bpf_local_irq_restore
  r0 = 0
  exit
