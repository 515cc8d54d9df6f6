# A signed upper bound alone leaves negative offsets.
.map values array key_size=4 value_size=64 max_entries=4
.section "socket"
.program signed_bound_only
.expect verdict reject
.expect errno EINVAL
.expect message "math between map_value pointer and register with unbounded min value is not allowed"
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = values ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r6 = r0
  r1 = *(u64 *)(r6 +0)
  if r1 s> 63 goto out
  r6 += r1
  r1 = *(u8 *)(r6 +0)
out:
  r0 = 0
  exit
