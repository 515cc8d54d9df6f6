# A socket of the packet may be a request: only what all sockets have is read.
.section "cgroup_skb/egress"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "R1 invalid sock_common access off=16 size=4"
  r1 = *(u64 *)(r1 +168)
  if r1 == 0 goto out
  w0 = *(u32 *)(r1 +16)
out:
  r0 = 1
  exit
