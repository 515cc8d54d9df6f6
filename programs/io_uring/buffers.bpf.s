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
.expect case "eight buffers, in one read and byte by byte"
.expect world eight_buffers.world.yaml
.expect over "io_uring=100/3"
.expect read_size 65536 1
.expect with "io_uring_buf=v1,page_to_pfn=v1" "io_uring_buf=v2,page_to_pfn=v1"
.expect output "B\n"
.expect output "0:0x100000:128\n`-PFN for bvec[0]=4096\n"
.expect output "1:0x110000:256\n`-PFN for bvec[0]=4097\n"
.expect output "2:0x120000:512\n`-PFN for bvec[0]=4098\n"
.expect output "3:0x130000:1024\n`-PFN for bvec[0]=4099\n"
.expect output "4:0x140000:2048\n`-PFN for bvec[0]=4100\n"
.expect output "5:0x150000:4096\n`-PFN for bvec[0]=4101\n"
.expect output "6:0x160000:8192\n`-PFN for bvec[0]=4102\n"
.expect output "7:0x170000:16384\n`-PFN for bvec[0]=4104\n"
.expect output "E:8\n"
.expect case "a ring whose lock is held"
.expect world held_lock.world.yaml
.expect over "io_uring=100/3"
.expect with "io_uring_buf=v1,page_to_pfn=v1" "io_uring_buf=v2,page_to_pfn=v1"
.expect output ""
.expect read_error EDEADLK
.expect case "a ring that reads the iterator over itself"
.expect world eight_buffers.world.yaml
.expect over "io_uring=100/3"
.expect through 100/3
.expect with "io_uring_buf=v1,page_to_pfn=v1" "io_uring_buf=v2,page_to_pfn=v1"
.expect read_error EDEADLK
.expect case "another ring that reads it"
.expect world eight_buffers.world.yaml
.expect over "io_uring=100/3"
.expect through 100/4
.expect with "io_uring_buf=v1,page_to_pfn=v1" "io_uring_buf=v2,page_to_pfn=v1"
.expect output "B\n"
.expect output "0:0x100000:128\n`-PFN for bvec[0]=4096\n"
.expect output "1:0x110000:256\n`-PFN for bvec[0]=4097\n"
.expect output "2:0x120000:512\n`-PFN for bvec[0]=4098\n"
.expect output "3:0x130000:1024\n`-PFN for bvec[0]=4099\n"
.expect output "4:0x140000:2048\n`-PFN for bvec[0]=4100\n"
.expect output "5:0x150000:4096\n`-PFN for bvec[0]=4101\n"
.expect output "6:0x160000:8192\n`-PFN for bvec[0]=4102\n"
.expect output "7:0x170000:16384\n`-PFN for bvec[0]=4104\n"
.expect output "E:8\n"
.expect case "an iterator that outlives its link and its ring"
.expect world eight_buffers.world.yaml
.expect over "io_uring=100/3"
.expect close_link
.expect with "io_uring_buf=v1,page_to_pfn=v1" "io_uring_buf=v2,page_to_pfn=v1"
.expect unsound "an iterator that is read after its link was closed uses a ring that may be gone"
.expect fault "use-after-free: a freed io_ring_ctx is read by an iterator whose link is closed"
.expect case "what the link tells"
.expect world empty_ring.world.yaml
.expect over "io_uring=100/3"
.expect with "io_uring_buf=v1,page_to_pfn=v1"
.expect link "target_name:\tio_uring_buf"
.expect with "io_uring_buf=v2,page_to_pfn=v1"
.expect link "io_uring_inode:\t1001"
.expect link "bpf_link_info.iter.io_uring.inode @32 = 1001"
.expect case "a descriptor that is no ring"
.expect world eight_files.world.yaml
.expect over "io_uring=100/4"
.expect with "io_uring_buf=v1,page_to_pfn=v1" "io_uring_buf=v2,page_to_pfn=v1"
.expect attach EOPNOTSUPP
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
