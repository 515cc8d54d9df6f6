; What the function returned is a number.
.license "GPL"
.section "fexit/do_nanosleep"
.program prog
r2 = *(u64 *)(r1 + 16)
r0 = *(u64 *)(r2 + 0)
r0 = 0
exit
