# A record in a dynptr is a reference.
.map ring ringbuf max_entries=4096
.section "tc"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "Unreleased reference id="
  r1 = ring ll
  r2 = 8
  r3 = 0
  r4 = r10
  r4 += -16
  call bpf_ringbuf_reserve_dynptr
  r0 = 0
  exit
