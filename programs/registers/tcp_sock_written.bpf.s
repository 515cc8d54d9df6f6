# A TCP socket is only read.
.section "cgroup_skb/egress"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "R0 cannot write into tcp_sock"
  r1 = *(u64 *)(r1 +168)
  if r1 == 0 goto out
  call bpf_tcp_sock
  if r0 == 0 goto out
  *(u32 *)(r0 +0) = 1
out:
  r0 = 1
  exit
