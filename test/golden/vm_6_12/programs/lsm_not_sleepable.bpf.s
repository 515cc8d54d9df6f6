; This one is not.
.license "GPL"
.section "lsm.s/task_free"
.program prog
r0 = 0
exit
