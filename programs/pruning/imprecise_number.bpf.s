# A number that decides nothing does not keep states apart.
.section "socket"
.program imprecise_number
.expect verdict accept
.expect return 0
  call bpf_get_prandom_u32
  r7 = 8
  if r0 > 100 goto join
  r7 = 100
join:
  r7 += 1
  r0 = 0
  exit
