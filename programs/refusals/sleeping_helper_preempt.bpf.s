# A helper that may sleep is not called where nothing may.
.section "lsm.s/file_open"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "sleepable helper bpf_copy_from_user#148 in non-preemptible region"
  call bpf_preempt_disable
  r1 = r10
  r1 += -16
  r2 = 8
  r3 = 0
  call bpf_copy_from_user
  call bpf_preempt_enable
  r0 = 0
  exit
