# The second half of a 16-byte instruction is no place to jump to.
.section "socket"
.program jump_into_wide
.expect verdict reject
.expect errno EINVAL
.expect message "jump into the middle of ldimm64 insn 2"
  r0 = 0
  if r0 == 0 goto +1
  r1 = 0x1 ll
  exit
