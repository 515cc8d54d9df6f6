; Nobody looks at what a hook without result returns.
.license "GPL"
.section "lsm/file_free_security"
.program prog
r0 = 1
exit
