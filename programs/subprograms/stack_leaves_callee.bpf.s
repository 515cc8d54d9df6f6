# A pointer to its own frame must not leave a function.
.section "xdp"
.program stack_leaves_callee
.expect verdict reject
.expect errno EINVAL
.expect message "cannot return stack pointer to the caller"
  call leak
  r0 = 0
  exit
.func leak
  r0 = r10
  exit
