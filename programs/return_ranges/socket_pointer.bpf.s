# Privileged programs may return what they like where no range is asked for.
.section "socket"
.program socket_pointer
.expect verdict accept
  r0 = r10
  exit
