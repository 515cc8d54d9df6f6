# The context takes no atomic operation.
.section "socket"
.program atomic_on_context
.expect verdict reject
.expect errno EACCES
.expect message "BPF_ATOMIC stores into R1 ctx is not allowed"
  r2 = 1
  lock *(u32 *)(r1 +8) += r2
  r0 = 0
  exit
