# A constant string stands in a map that nobody writes.
.data "char format[8]" = "n = %d"
.section "xdp"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "does not point to a readonly map'"
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
