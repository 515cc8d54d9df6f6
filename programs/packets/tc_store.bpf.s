# tc programs write through packet pointers.
.section "tc"
.program tc_store
.expect verdict accept
.expect return 0
  r2 = *(u32 *)(r1 +76)
  r3 = *(u32 *)(r1 +80)
  r4 = r2
  r4 += 14
  if r4 > r3 goto out
  r1 = 0x1234
  *(u16 *)(r2 +12) = r1
out:
  r0 = 0
  exit
