# An offset without bounds is refused.
.section "socket"
.program unbounded_offset
.expect verdict reject
.expect errno EINVAL
.expect message "math between fp pointer and register with unbounded min value is not allowed"
  call bpf_get_prandom_u32
  r2 = r10
  r2 += r0
  r0 = *(u8 *)(r2 -8)
  exit
