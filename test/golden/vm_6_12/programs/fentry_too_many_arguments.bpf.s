; The context ends behind the last argument.
.license "GPL"
.section "fentry/do_nanosleep"
.program prog
r0 = *(u64 *)(r1 + 16)
r0 = 0
exit
