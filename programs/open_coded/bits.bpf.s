# The numbers of the bits that are set in two words, by the open-coded iterator over bits. Answers their sum.
.license "GPL"
.rodata "unsigned long words[2]" = {0x8000000000000001, 0x10}
.section "raw_tp/sys_enter"
.program "int sum(void *ctx)"
.expect verdict accept
.expect case "bits 0, 63 and 68"
.expect return 131
  r1 = r10
  r1 += -16
  r2 = words ll
  w3 = 2
  call bpf_iter_bits_new
  r6 = 0
next:
  r1 = r10
  r1 += -16
  call bpf_iter_bits_next
  if r0 == 0 goto done
  r1 = *(s32 *)(r0 +0)
  r6 += r1
  goto next
done:
  r1 = r10
  r1 += -16
  call bpf_iter_bits_destroy
  r0 = r6
  exit
