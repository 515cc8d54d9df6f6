# Stack access is always checked for alignment when asked to be strict.
.section "socket"
.program stack_unaligned
.expect verdict reject
.expect errno EACCES
.expect message "misaligned stack access off 0+0+-12 size 8"
.expect flags BPF_F_STRICT_ALIGNMENT
  r1 = 0
  *(u64 *)(r10 -16) = r1
  *(u64 *)(r10 -8) = r1
  r0 = *(u64 *)(r10 -12)
  exit
