; A function that never returns has no end to trace. Linux 6.12 did not know.
.license "GPL"
.section "fexit/do_exit"
.program prog
r0 = 0
exit
