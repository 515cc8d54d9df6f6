; The first slot of the context is the first argument of the function.
.license "GPL"
.section "fentry/do_nanosleep"
.program prog
r2 = *(u64 *)(r1 + 0)
r0 = *(u32 *)(r2 + 0)
r0 = 0
exit
