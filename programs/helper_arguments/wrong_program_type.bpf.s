# A helper that this program type does not have.
.section "socket"
.program wrong_program_type
.expect verdict reject
.expect errno EINVAL
.expect message "program of this type cannot use helper bpf_xdp_adjust_head#44"
  r2 = 0
  call bpf_xdp_adjust_head
  r0 = 0
  exit
