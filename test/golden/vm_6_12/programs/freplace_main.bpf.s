; The main function is replaced by one that takes the same context.
.c { struct xdp_md { unsigned int data; }; }
.license "GPL"
.section "xdp"
.program "int original(struct xdp_md *ctx)"
r0 = 1
exit
.section "freplace/original"
.program "int replacement(struct xdp_md *ctx)"
r0 = *(u32 *)(r1 + 12)
r0 = 2
exit
