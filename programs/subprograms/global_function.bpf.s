# A global function is verified by itself; its result is an unknown number.
.c { struct xdp_md; }
.section "xdp"
.program "int global_function(struct xdp_md *ctx)"
.expect verdict accept
.expect return 1
  r1 = 4
  call half
  if r0 == 2 goto good
  r0 = 2
  exit
good:
  r0 = 1
  exit
.func "int half(int x)"
  r0 = r1
  r0 >>= 1
  exit
