# r1 to r5 do not survive a call, r6 to r9 do.
.section "xdp"
.program clobbered_by_callee
.expect verdict accept
.expect return 5
  r6 = 5
  call nothing
  r0 = r6
  exit
.func nothing
  r6 = 9
  r0 = 0
  exit
