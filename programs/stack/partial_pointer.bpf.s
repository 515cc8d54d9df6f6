# Half of a spilled pointer cannot be read.
.section "socket"
.program partial_pointer
.expect verdict reject
.expect errno EACCES
.expect message "invalid size of register fill"
  *(u64 *)(r10 -8) = r10
  r0 = *(u32 *)(r10 -8)
  exit
