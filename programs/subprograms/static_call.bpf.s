# A call of a function of the program.
.section "xdp"
.program static_call
.expect verdict accept
.expect return 40
  r1 = 20
  call double_it
  exit
.func double_it
  r0 = r1
  r0 += r1
  exit
