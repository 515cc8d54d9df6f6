# A loop whose end the verifier can see.
.section "socket"
.program bounded
.expect verdict accept
.expect return 10
  r0 = 0
again:
  r0 += 1
  if r0 < 10 goto again
  exit
