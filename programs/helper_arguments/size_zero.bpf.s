# A size of zero where none is allowed.
.section "tc"
.program size_zero
.expect verdict reject
.expect errno EACCES
.expect message "R4 invalid zero-sized read: u64=[0,0]"
  r3 = r10
  r3 += -16
  r2 = 0
  r4 = 0
  call bpf_skb_load_bytes
  r0 = 0
  exit
