# Signed division and remainder round towards zero.
.section "socket"
.program signed_division
.expect verdict accept
.expect return -4
  r0 = -13
  r1 = 4
  r0 s/= r1
  r2 = -13
  r2 s%= r1
  r0 += r2
  exit
