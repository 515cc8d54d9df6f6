# A cast needs an arena.
.section "syscall"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "addr_space_cast insn can only be used in a program that has an associated arena"
  r0 = 0
  r0 = addr_space_cast(r0, 0x0, 0x1)
  r0 = 0
  exit
