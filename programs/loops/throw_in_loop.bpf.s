# Linux 6.18 does not expect an exception in a loop: it finds its own books incomplete, and refuses.
.section "tc"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "verifier bug: scc exit: no visit info for call chain (1)"
  r6 = 12
l5:
  r1 = 1
  if r6 == 3 goto l7
  call bpf_throw
l7:
  r6 -= 1
  if r6 != 0x0 goto l5
  r0 = 0
  exit
