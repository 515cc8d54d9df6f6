# Elements of a map. What the kernel tells of the link has the id of the map at byte 28 of struct bpf_link_info. Version 2 of the
# proposal put the 8 bytes of a ring's inode into the same union, which moved the id of the map to byte 32: tools that were built
# before read 0.
.license "GPL"
.rodata "const char line[4]" = "%d\n"
.map counts array key_size=4 value_size=8 max_entries=2
.section "iter/bpf_map_elem"
.program dump_counts
.expect verdict accept
.expect case "where the link tells of its map"
.expect over "map=counts"
.expect output "0\n1\n"
.expect link "bpf_link_info.iter.map.map_id @28 = 1"
.expect with "io_uring_buf=v1"
.expect output "0\n1\n"
.expect link "bpf_link_info.iter.map.map_id @28 = 1"
.expect with "io_uring_buf=v2" "io_uring_file=v2"
.expect output "0\n1\n"
.expect link "bpf_link_info.iter.map.map_id @32 = 1"
  r6 = *(u64 *)(r1 +16)
  r1 = *(u64 *)(r1 +0)
  r1 = *(u64 *)(r1 +0)
  if r6 == 0 goto out
  r2 = *(u32 *)(r6 +0)
  *(u64 *)(r10 -8) = r2
  r2 = line ll
  w3 = 4
  r4 = r10
  r4 += -8
  w5 = 8
  call bpf_seq_printf
out:
  r0 = 0
  exit
