# The size leaves the frame.
.section "tc"
.program size_too_large
.expect verdict reject
.expect errno EINVAL
.expect message "invalid write to stack R3 off=-16 size=17"
  r3 = r10
  r3 += -16
  r2 = 0
  r4 = 17
  call bpf_skb_load_bytes
  r0 = 0
  exit
