# Functions that make tail calls need BTF.
.map jumps prog_array key_size=4 value_size=4 max_entries=2
.section "xdp"
.program from_subprogram_without_btf
.expect verdict reject
.expect errno EINVAL
.expect message "tail_call is not allowed in subprogs without BTF"
  call jump
  r0 = 1
  exit
.func jump
  r2 = jumps ll
  r3 = 1
  call bpf_tail_call
  r0 = 0
  exit
