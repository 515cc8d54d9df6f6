# A number in a frozen, read-only global is a constant to the verifier.
.c { typedef unsigned int u32; }
.rodata "const u32 limit" = 40
.section "xdp"
.program frozen_constant
.expect verdict accept
.expect return 1
  r1 = limit ll
  r1 = *(u32 *)(r1 +0)
  if r1 == 40 goto good
  r0 = *(u64 *)(r1 +0)
  exit
good:
  r0 = 1
  exit
