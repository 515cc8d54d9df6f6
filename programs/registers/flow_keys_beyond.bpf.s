# Flow keys end after 56 bytes.
.section "flow_dissector"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "invalid access to flow keys off=56 size=2"
  r2 = *(u64 *)(r1 +144)
  w0 = *(u16 *)(r2 +56)
  r0 = 0
  exit
