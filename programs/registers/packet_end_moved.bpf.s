# The end of a packet does not move.
.section "xdp"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "R3 pointer arithmetic on pkt_end prohibited"
  r3 = *(u32 *)(r1 +4)
  r3 += 1
  r0 = 2
  exit
