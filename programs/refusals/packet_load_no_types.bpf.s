# Packet loads of old in a function need its type.
.section "tc"
.program prog
.expect verdict reject
.expect message "LD_ABS is not allowed in subprogs without BTF"
  call f
  r0 = 0
  exit
.func f
  r6 = r1
  r0 = *(u8 *)skb[0]
  exit
