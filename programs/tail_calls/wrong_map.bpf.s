# A tail call wants a program array.
.map counters array key_size=4 value_size=8 max_entries=4
.section "xdp"
.program wrong_map
.expect verdict reject
.expect errno EINVAL
.expect message "expected prog array map for tail call"
  r2 = counters ll
  r3 = 0
  call bpf_tail_call
  r0 = 2
  exit
