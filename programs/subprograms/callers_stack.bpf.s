# A callee may write to the stack of its caller.
.section "xdp"
.program callers_stack
.expect verdict accept
.expect return 11
  r1 = r10
  r1 += -8
  call fill
  r0 = *(u64 *)(r10 -8)
  exit
.func fill
  r2 = 11
  *(u64 *)(r1 +0) = r2
  r0 = 0
  exit
