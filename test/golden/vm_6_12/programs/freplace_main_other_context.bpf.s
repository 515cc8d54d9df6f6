; It does not take another context.
.c { struct __sk_buff { unsigned int len; }; }
.c { struct xdp_md { unsigned int data; }; }
.license "GPL"
.section "xdp"
.program "int original(struct xdp_md *ctx)"
r0 = 1
exit
.section "freplace/original"
.program "int replacement(struct __sk_buff *ctx)"
r0 = 2
exit
