# bpf_redirect_map is for redirect maps.
.map counters array key_size=4 value_size=8 max_entries=4
.section "xdp"
.program wrong_map_type
.expect verdict reject
.expect errno EINVAL
.expect message "cannot pass map_type 2 into func bpf_redirect_map#51"
  r1 = counters ll
  r2 = 0
  r3 = 0
  call bpf_redirect_map
  exit
