# Registered buffers of an io_uring ring: index, address, length, and the frame of the first page. The self-test of the series
# that proposed the iterator in November 2021; Linux never took it, so this loads with
#   --with io_uring_buf=v2 --with page_to_pfn=v1
.license "GPL"
.extern "long bpf_page_to_pfn(struct page *page)"
.rodata "const char begin[3]" = "B\n"
.rodata "const char buffer[13]" = "%d:0x%lx:%d\n"
.rodata "const char frame[24]" = "`-PFN for bvec[0]=%llu\n"
.rodata "const char end[6]" = "E:%d\n"
.section "iter/io_uring_buf"
.program dump_buffers
.expect verdict not-loaded
  r6 = r1
  r1 = *(u64 *)(r6 +0)
  r7 = *(u64 *)(r1 +0)
  r8 = *(u64 *)(r6 +16)
  r2 = *(u64 *)(r1 +16)
  if r2 != 0 goto body
  r1 = r7
  r2 = begin ll
  w3 = 3
  r4 = 0
  w5 = 0
  call bpf_seq_printf
body:
  r1 = *(u64 *)(r6 +24)
  *(u64 *)(r10 -24) = r1
  if r8 == 0 goto last
  r1 = *(u64 *)(r8 + offsetof(io_mapped_ubuf, ubuf))
  *(u64 *)(r10 -16) = r1
  r2 = *(u64 *)(r8 + offsetof(io_mapped_ubuf, ubuf_end))
  r2 -= r1
  *(u64 *)(r10 -8) = r2
  r1 = r7
  r2 = buffer ll
  w3 = 13
  r4 = r10
  r4 += -24
  w5 = 24
  call bpf_seq_printf
  r1 = *(u64 *)(r8 + offsetof(io_mapped_ubuf, bvec))
  call bpf_page_to_pfn
  *(u64 *)(r10 -24) = r0
  r1 = r7
  r2 = frame ll
  w3 = 24
  r4 = r10
  r4 += -24
  w5 = 8
  call bpf_seq_printf
  goto out
last:
  r1 = r7
  r2 = end ll
  w3 = 6
  r4 = r10
  r4 += -24
  w5 = 8
  call bpf_seq_printf
out:
  r0 = 0
  exit
