# A jump may not leave the program.
.section "socket"
.program jump_out
.expect verdict reject
.expect errno EINVAL
.expect message "jump out of range from insn 1 to 7"
  r0 = 0
  goto +5
  exit
