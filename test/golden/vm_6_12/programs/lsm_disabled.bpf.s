; Some hooks are not for BPF.
.license "GPL"
.section "lsm/getprocattr"
.program prog
r0 = 0
exit
