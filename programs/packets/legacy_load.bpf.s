# The old way to read a packet.
.section "socket"
.program legacy_load
.expect verdict accept
.expect return 0
  r6 = r1
  r0 = *(u16 *)skb[12]
  exit
