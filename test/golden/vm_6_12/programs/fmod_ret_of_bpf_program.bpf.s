; What a BPF program returns cannot be replaced.
.c { struct __sk_buff { unsigned int len; }; }
.license "GPL"
.section "tc"
.program "int original(struct __sk_buff *skb)"
r0 = 1
exit
.section "fmod_ret/original"
.program "int traced(long *ctx)"
r0 = 0
exit
