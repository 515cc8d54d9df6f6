# There may be no such socket.
.section "tc"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "R0 invalid mem access 'sock_or_null'"
  *(u64 *)(r10 -8) = 0
  *(u32 *)(r10 -12) = 0
  r2 = r10
  r2 += -12
  r3 = 12
  r4 = 0
  r5 = 0
  call bpf_sk_lookup_tcp
  w7 = *(u32 *)(r0 +4)
out:
  r0 = 0
  exit
