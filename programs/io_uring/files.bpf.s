# Registered files of an io_uring ring by path. A file of NULL is an empty slot, or the end: only the index tells.
# Proposed in November 2021, never merged: --with io_uring_file=v2
.license "GPL"
.rodata "const char begin[3]" = "B\n"
.rodata "const char named[7]" = "%d:%s\n"
.rodata "const char empty[11]" = "%d:<none>\n"
.rodata "const char end[6]" = "E:%d\n"
.map scratch array key_size=4 value_size=4096 max_entries=1
.section "iter/io_uring_file"
.program dump_files
.expect verdict not-loaded
.expect case "eight slots, in one read and byte by byte"
.expect world eight_files.world.yaml
.expect over "io_uring=100/3"
.expect read_size 65536 1
.expect with "io_uring_file=v1" "io_uring_file=v2"
.expect output "B\n"
.expect output "0:/tmp/io_uring0 (deleted)\n1:<none>\n"
.expect output "2:/tmp/io_uring2 (deleted)\n3:<none>\n"
.expect output "4:/tmp/io_uring4 (deleted)\n5:<none>\n"
.expect output "6:/tmp/io_uring6 (deleted)\n7:<none>\n"
.expect output "E:8\n"
.expect case "a ring in which nothing is registered"
.expect world empty_ring.world.yaml
.expect over "io_uring=100/3"
.expect with "io_uring_file=v1" "io_uring_file=v2"
.expect output "B\nE:0\n"
.expect case "a ring whose lock is held"
.expect world held_lock.world.yaml
.expect over "io_uring=100/3"
.expect with "io_uring_file=v1" "io_uring_file=v2"
.expect read_error EDEADLK
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
  if r8 == 0 goto none
  w2 = 0
  *(u32 *)(r10 -4) = w2
  r1 = scratch ll
  r2 = r10
  r2 += -4
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r9 = r0
  r1 = r8
  r1 += offsetof(file, f_path)
  r2 = r9
  w3 = 4096
  call bpf_d_path
  *(u64 *)(r10 -16) = r9
  r1 = r7
  r2 = named ll
  w3 = 7
  r4 = r10
  r4 += -24
  w5 = 16
  call bpf_seq_printf
  goto out
none:
  r1 = *(u64 *)(r6 +8)
  r2 = *(u32 *)(r1 + offsetof(io_ring_ctx, nr_user_files))
  r3 = *(u64 *)(r10 -24)
  if r3 == r2 goto last
  r1 = r7
  r2 = empty ll
  w3 = 11
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
