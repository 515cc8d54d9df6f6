; A positive number is no error.
.license "GPL"
.section "lsm/file_open"
.program prog
r0 = 1
exit
