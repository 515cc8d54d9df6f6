# A register that nobody wrote.
.section "socket"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "R5 !read_ok"
  r0 = r5
  exit
