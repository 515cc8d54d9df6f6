# A field of the socket buffer.
.section "socket"
.program skb_length
.expect verdict accept
.expect return 50
  r0 = *(u32 *)(r1 +0)
  exit
