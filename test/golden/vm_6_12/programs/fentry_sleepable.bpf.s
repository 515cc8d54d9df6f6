; A function that is no place to inject errors must not be made to sleep.
.license "GPL"
.section "fentry.s/do_nanosleep"
.program prog
r0 = 0
exit
