# A field may be loaded in part.
.section "socket"
.program narrow_load
.expect verdict accept
.expect return 50
  r0 = *(u8 *)(r1 +0)
  exit
