# The congestion window of the TCP socket of a packet.
.section "cgroup_skb/egress"
.program "int prog(void *ctx)"
.expect verdict accept
  r1 = *(u64 *)(r1 +168)
  if r1 == 0 goto out
  call bpf_tcp_sock
  if r0 == 0 goto out
  w0 = *(u32 *)(r0 +0)
out:
  r0 = 1
  exit
