# A sum over an array on the stack.
.section "socket"
.program summing
.expect verdict accept
.expect return 6
  *(u64 *)(r10 -8) = 1
  *(u64 *)(r10 -16) = 2
  *(u64 *)(r10 -24) = 3
  r0 = 0
  r1 = 0
  r2 = r10
  r2 += -24
again:
  r3 = *(u64 *)(r2 +0)
  r0 += r3
  r2 += 8
  r1 += 1
  if r1 < 3 goto again
  exit
