# Socket look-up: drop or pass.
.section "sk_lookup"
.program sk_lookup
.expect verdict reject
.expect errno EINVAL
.expect message "At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]"
  r0 = 2
  exit
