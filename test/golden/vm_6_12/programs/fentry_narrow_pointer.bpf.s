; A pointer is read whole.
.license "GPL"
.section "fentry/do_nanosleep"
.program prog
r0 = *(u32 *)(r1 + 0)
r0 = 0
exit
