# Byte swaps of constants.
.section "socket"
.program byte_swap
.expect verdict accept
.expect return 13330
  r0 = 0x1234
  r0 = be16 r0
  exit
