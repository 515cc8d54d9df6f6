# A register that was never written cannot be read.
.section "socket"
.program uninitialised
.expect verdict reject
.expect errno EACCES
.expect message "R2 !read_ok"
  r0 = r2
  exit
