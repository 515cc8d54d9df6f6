# A size that may be negative.
.section "tc"
.program size_negative
.expect verdict reject
.expect errno EACCES
.expect message "R4 min value is negative, either use unsigned or 'var &= const'"
  r6 = *(u32 *)(r1 +0)
  r6 <<= 32
  r6 s>>= 32
  if r6 s> 8 goto out
  r3 = r10
  r3 += -16
  r2 = 0
  r4 = r6
  call bpf_skb_load_bytes
out:
  r0 = 0
  exit
