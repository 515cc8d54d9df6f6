; An argument of a hook may be walked.
.license "GPL"
.section "lsm/file_open"
.program prog
r2 = *(u64 *)(r1 + 0)
r3 = *(u32 *)(r2 + 0)
r0 = 0
exit
