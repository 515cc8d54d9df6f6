# A socket address hook writes the port.
.section "cgroup/connect4"
.program sock_addr_port
.expect verdict accept
  r2 = 0x5000
  *(u32 *)(r1 +24) = r2
  r0 = 1
  exit
