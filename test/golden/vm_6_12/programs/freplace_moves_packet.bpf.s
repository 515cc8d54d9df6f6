; A function whose callers keep their packet pointers is not replaced by one that moves the packet.
.c { struct __sk_buff { unsigned int len; }; }
.license "GPL"
.section "tc"
.program "int original(struct __sk_buff *skb)"
call answer
exit
.func "int answer(struct __sk_buff *skb)"
r0 = 1
exit
.section "freplace/answer"
.program "int replacement(struct __sk_buff *skb)"
r2 = 0
call bpf_skb_pull_data
r0 = 0
exit
