# A jump stays inside its function.
.section "xdp"
.program jump_between_functions
.expect verdict reject
.expect errno EINVAL
.expect message "jump out of range from insn 3 to 1"
  call other
  exit
.func other
  r0 = 0
  goto -3
  exit
