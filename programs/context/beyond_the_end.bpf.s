# Nothing behind the last field.
.section "socket"
.program beyond_the_end
.expect verdict reject
.expect errno EACCES
.expect message "invalid bpf_context access off=1000 size=4"
  r0 = *(u32 *)(r1 +1000)
  exit
