# A helper for GPL programs only.
.license "Proprietary"
.section "tracepoint/syscalls/sys_enter_open"
.program gpl_only
.expect verdict reject
.expect errno EINVAL
.expect message "cannot call GPL-restricted function from non-GPL compatible program"
  r1 = r10
  r1 += -16
  *(u64 *)(r10 -16) = 0
  r2 = 16
  call bpf_get_current_comm
  r1 = r10
  r1 += -8
  r2 = 4
  call bpf_trace_printk
  r0 = 0
  exit
