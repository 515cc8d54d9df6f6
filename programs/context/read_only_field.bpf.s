# A field that programs of this type must not write.
.section "socket"
.program read_only_field
.expect verdict reject
.expect errno EACCES
.expect message "invalid bpf_context access off=0 size=4"
  r2 = 1
  *(u32 *)(r1 +0) = r2
  r0 = 0
  exit
