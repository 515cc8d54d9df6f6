# An empty slot: the program goes on.
.map jumps prog_array key_size=4 value_size=4 max_entries=2
.section "xdp"
.program falls_through
.expect verdict accept
.expect return 2
  r2 = jumps ll
  r3 = 0
  call bpf_tail_call
  r0 = 2
  exit
