; A hook that answers yes or no.
.license "GPL"
.section "lsm/audit_rule_known"
.program prog
r0 = 2
exit
