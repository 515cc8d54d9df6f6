; LSM programs are under a licence that is compatible with the kernel's.
.license "Proprietary"
.section "lsm/file_open"
.program prog
r0 = 0
exit
