# Stack that was never written is read as an unknown number.
.section "socket"
.program read_before_write_packet
.expect verdict accept
  r0 = *(u64 *)(r10 -16)
  exit
