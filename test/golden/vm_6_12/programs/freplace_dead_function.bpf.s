; Code that no path reaches is removed, and nothing is left to replace.
.c { struct __sk_buff { unsigned int len; }; }
.license "GPL"
.section "tc"
.program "int original(struct __sk_buff *skb)"
r0 = 1
if r0 == 1 goto done
r1 = 3
call answer
done:
exit
.func "int answer(long x)"
r0 = r1
exit
.section "freplace/answer"
.program "int replacement(long x)"
r0 = 7
exit
