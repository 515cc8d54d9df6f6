# Once it is checked, the pointer is good.
.c { struct xdp_md; }
.section "xdp"
.program "int global_pointer_checked(struct xdp_md *ctx)"
.expect verdict accept
.expect return 3
  r1 = r10
  r1 += -8
  *(u64 *)(r10 -8) = 3
  call load
  exit
.func "int load(long *p)"
  r0 = 0
  if r1 == 0 goto out
  r0 = *(u64 *)(r1 +0)
out:
  exit
