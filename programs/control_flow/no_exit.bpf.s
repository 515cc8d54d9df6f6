# The last instruction is neither a jump nor an exit.
.section "socket"
.program no_exit
.expect verdict reject
.expect errno EINVAL
.expect message "last insn is not an exit or jmp"
  r0 = 0
