# A flow dissector reads the keys that it fills.
.section "flow_dissector"
.program "int prog(void *ctx)"
.expect verdict accept
  r2 = *(u64 *)(r1 +144)
  w0 = *(u16 *)(r2 +0)
  r0 = 0
  exit
