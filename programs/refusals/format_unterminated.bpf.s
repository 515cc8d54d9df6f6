# A constant string ends within its map.
.rodata "const char format[4]" = hex "6e3d2564"
.section "xdp"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "string is not zero-terminated"
  r3 = format ll
  *(u64 *)(r10 -8) = 42
  r4 = r10
  r4 += -8
  r5 = 8
  r1 = r10
  r1 += -32
  r2 = 16
  call bpf_snprintf
  exit
