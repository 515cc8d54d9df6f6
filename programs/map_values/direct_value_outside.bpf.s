# A direct address has to stand inside the value.
.bss total 8
.section "xdp"
.program direct_value_outside
.expect verdict reject
.expect errno EINVAL
.expect message "invalid access to map value pointer, value_size=8 off=8"
  r1 = total+8 ll
  r0 = *(u64 *)(r1 +0)
  exit
