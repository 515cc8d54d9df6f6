# gotol has a 32-bit distance.
.section "socket"
.program long_jump
.expect verdict accept
.expect return 3
  r0 = 3
  gotol out
out:
  exit
