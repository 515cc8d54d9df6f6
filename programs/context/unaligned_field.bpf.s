# Half of one field and half of the next.
.section "socket"
.program unaligned_field
.expect verdict reject
.expect errno EACCES
.expect message "invalid bpf_context access off=2 size=4"
  r0 = *(u32 *)(r1 +2)
  exit
