# A program does not throw while it holds a reference.
.map ring ringbuf max_entries=4096
.section "tc"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "bpf_throw"
  r1 = ring ll
  r2 = 8
  r3 = 0
  call bpf_ringbuf_reserve
  if r0 == 0 goto out
  r6 = r0
  r1 = 1
  call bpf_throw
out:
  r0 = 0
  exit
