# A 32-bit operation clears the high half.
.section "socket"
.program word_zeroes_high
.expect verdict accept
.expect return 0
  r0 = -1
  w0 = w0
  r0 >>= 32
  exit
