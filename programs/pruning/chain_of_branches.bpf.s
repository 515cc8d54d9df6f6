# Ten branches make ten, not a thousand paths.
.section "socket"
.program chain_of_branches
.expect verdict accept
.expect return 0
  call bpf_get_prandom_u32
  r6 = r0
  r0 = 0
  if r6 & 1 goto +1
  r7 = 0
  if r6 & 2 goto +1
  r7 = 1
  if r6 & 4 goto +1
  r7 = 2
  if r6 & 8 goto +1
  r7 = 3
  if r6 & 16 goto +1
  r7 = 4
  if r6 & 32 goto +1
  r7 = 5
  if r6 & 64 goto +1
  r7 = 6
  if r6 & 128 goto +1
  r7 = 7
  if r6 & 256 goto +1
  r7 = 8
  if r6 & 512 goto +1
  r7 = 9
  exit
