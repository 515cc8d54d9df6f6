; A static function is not replaced.
.c { struct __sk_buff { unsigned int len; }; }
.license "GPL"
.section "tc"
.program "int original(struct __sk_buff *skb)"
r1 = 3
call answer
exit
.func "static int answer(long x)"
r0 = r1
exit
.section "freplace/answer"
.program "int replacement(long x)"
r0 = 7
exit
