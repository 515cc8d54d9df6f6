# tc programs may set the mark.
.section "tc"
.program writable_field
.expect verdict accept
.expect return 1
  r2 = 1
  *(u32 *)(r1 +8) = r2
  r0 = *(u32 *)(r1 +8)
  exit
