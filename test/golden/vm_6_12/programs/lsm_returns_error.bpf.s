; An LSM program refuses with an error number.
.license "GPL"
.section "lsm/file_open"
.program prog
r0 = -1
exit
