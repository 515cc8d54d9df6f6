# A global function may be given a null pointer.
.c { struct xdp_md; }
.section "xdp"
.program "int global_pointer(struct xdp_md *ctx)"
.expect verdict reject
.expect errno EACCES
.expect message "R1 invalid mem access 'mem_or_null'"
  r1 = r10
  r1 += -8
  *(u64 *)(r10 -8) = 3
  call load
  exit
.func "int load(long *p)"
  r0 = *(u64 *)(r1 +0)
  exit
