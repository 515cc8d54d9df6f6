# Atomic operations are always aligned.
.map values array key_size=4 value_size=64 max_entries=4
.section "socket"
.program atomic_unaligned
.expect verdict reject
.expect errno EACCES
.expect message "misaligned value access off 0+0+4 size 8"
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = values ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r1 = 1
  lock *(u64 *)(r0 +4) += r1
out:
  r0 = 0
  exit
