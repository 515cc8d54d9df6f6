# A socket filter has no direct packet access at all.
.section "socket"
.program write_in_socket_filter
.expect verdict reject
.expect errno EACCES
.expect message "invalid bpf_context access off=76 size=4"
  r0 = *(u32 *)(r1 +76)
  exit
