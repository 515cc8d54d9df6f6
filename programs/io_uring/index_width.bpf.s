# The index of a registered buffer, upper and lower half apart. A program always reads 8 bytes of its context; version 1 of the
# proposal stored an unsigned long there, so that on a kernel of 32 bits the upper half is whatever the stack had.
.license "GPL"
.rodata "const char line[20]" = "index %d, above %d\n"
.section "iter/io_uring_buf"
.program dump_index
.expect verdict not-loaded
.expect case "a kernel of 64 bits"
.expect world two_buffers.world.yaml
.expect over "io_uring=100/3"
.expect with "io_uring_buf=v1" "io_uring_buf=v2"
.expect output "index 0, above 0\nindex 1, above 0\nindex 2, above 0\n"
.expect case "a kernel of 32 bits"
.expect world two_buffers_32.world.yaml
.expect over "io_uring=100/3"
.expect with "io_uring_buf=v1"
.expect output "index 0, above 1580013426\nindex 1, above 350525680\nindex 2, above -770792963\n"
.expect with "io_uring_buf=v2"
.expect output "index 0, above 0\nindex 1, above 0\nindex 2, above 0\n"
  r6 = *(u64 *)(r1 +24)
  r1 = *(u64 *)(r1 +0)
  r1 = *(u64 *)(r1 +0)
  w2 = w6
  *(u64 *)(r10 -16) = r2
  r6 s>>= 32
  *(u64 *)(r10 -8) = r6
  r2 = line ll
  w3 = 20
  r4 = r10
  r4 += -16
  w5 = 16
  call bpf_seq_printf
  r0 = 0
  exit
