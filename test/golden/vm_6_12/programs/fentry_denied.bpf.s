; Some functions are never traced.
.license "GPL"
.section "fentry/migrate_disable"
.program prog
r0 = 0
exit
