# An exception leaves all functions, and what the function that catches it returns is the program's result.
.section "tc"
.program "int prog(struct __sk_buff *skb) __exception_cb(caught)"
.expect verdict accept
.expect return 107
  call f
  r0 = 1
  exit
.func "static int f(void *ctx)"
  r1 = 7
  call bpf_throw
  r0 = 0
  exit
.func "int caught(__u64 cookie)"
  r0 = r1
  r0 += 100
  exit
