# A tail call from a function.
.c { struct xdp_md; }
.map jumps prog_array key_size=4 value_size=4 max_entries=2
.section "xdp"
.program "int from_subprogram(struct xdp_md *ctx)"
.expect verdict accept
.expect return 1
  call jump
  r0 = 1
  exit
.func "static int jump(struct xdp_md *ctx)"
  r2 = jumps ll
  r3 = 1
  call bpf_tail_call
  r0 = 0
  exit
