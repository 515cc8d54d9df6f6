# bpf_snprintf into a buffer, its format in read-only data.
.rodata "const char format[8]" = "n = %d"
.section "xdp"
.program formatted_text
.expect verdict accept
.expect return 7
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
