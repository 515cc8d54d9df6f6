; The context of a traced BPF program is seen as the kernel's own.
.c { struct __sk_buff { unsigned int len; }; }
.license "GPL"
.section "tc"
.program "int original(struct __sk_buff *skb)"
r0 = 1
exit
.section "fexit/original"
.program "int traced(long *ctx)"
r2 = *(u64 *)(r1 + 0)
r2 = *(u32 *)(r2 + 112)
r0 = *(u64 *)(r1 + 8)
r0 = 0
exit
