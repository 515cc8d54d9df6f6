# A constant string begins at one place.
.rodata "const char format[8]" = "n = %d"
.section "xdp"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "is not a constant address'"
  call bpf_get_prandom_u32
  r0 &= 1
  r3 = format ll
  r3 += r0
  *(u64 *)(r10 -8) = 42
  r4 = r10
  r4 += -8
  r5 = 8
  r1 = r10
  r1 += -32
  r2 = 16
  call bpf_snprintf
  exit
