; A program of a control group allows or refuses.
.license "GPL"
.section "lsm_cgroup/socket_bind"
.program prog
r0 = 2
exit
