# An instruction that no path leads to refuses the whole program.
.section "socket"
.program unreachable
.expect verdict reject
.expect errno EINVAL
.expect message "unreachable insn 2"
  r0 = 0
  exit
  r0 = 1
  exit
