# A field that an instruction does not use has to be zero.
.section "socket"
.program reserved_field
.expect verdict reject
.expect errno EINVAL
.expect message "BPF_EXIT uses reserved fields"
  r0 = 0
  .raw 0x0000000100000095
