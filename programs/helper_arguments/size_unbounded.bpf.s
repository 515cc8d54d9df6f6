# A size without an upper bound.
.section "tc"
.program size_unbounded
.expect verdict reject
.expect errno EACCES
.expect message "R4 min value is negative, either use unsigned or 'var &= const'"
  r6 = r1
  call bpf_get_prandom_u32
  r1 = r6
  r3 = r10
  r3 += -16
  r2 = 0
  r4 = r0
  call bpf_skb_load_bytes
  r0 = 0
  exit
