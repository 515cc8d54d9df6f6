# A move that extends the sign.
.section "socket"
.program sign_extension
.expect verdict accept
.expect return -128
  r0 = 0x80
  r0 = (s8)r0
  exit
