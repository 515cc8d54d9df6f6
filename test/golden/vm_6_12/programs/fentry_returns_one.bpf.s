; A tracing program returns 0.
.license "GPL"
.section "fentry/do_nanosleep"
.program prog
r0 = 1
exit
