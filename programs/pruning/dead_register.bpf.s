# A register that is not read again does not matter.
.section "socket"
.program dead_register
.expect verdict accept
.expect return 0
  call bpf_get_prandom_u32
  r6 = 1
  if r0 > 7 goto join
  r6 = r10
join:
  r0 = 0
  exit
