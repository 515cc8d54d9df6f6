# A code that is no instruction.
.section "socket"
.program unknown_opcode
.expect verdict reject
.expect errno EINVAL
.expect message "unknown opcode f7"
  .raw 0x00000000000000f7
  exit
