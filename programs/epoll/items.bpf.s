# What an epoll instance watches: pipes and others, told apart by the table of operations of their files.
# Proposed in November 2021, never merged: --with epoll=v1
.license "GPL"
.extern pipefifo_fops
.rodata "const char begin[3]" = "B\n"
.rodata "const char pipe[9]" = "pipe:%d\n"
.rodata "const char socket[11]" = "socket:%d\n"
.rodata "const char end[3]" = "E\n"
.section "iter/epoll"
.program dump_items
.expect verdict not-loaded
.expect case "both ends of a pipe and of sockets, in one read and byte by byte"
.expect world four_ends.world.yaml
.expect over "epoll=100/7"
.expect read_size 65536 1
.expect with "epoll=v1"
.expect output "B\npipe:3\npipe:4\nsocket:5\nsocket:6\nE\n"
.expect case "an epoll set that is read after its link and descriptor were closed"
.expect world four_ends.world.yaml
.expect over "epoll=100/7"
.expect close_link
.expect with "epoll=v1"
.expect unsound "an iterator that is read after its link was closed uses an epoll instance that may be gone"
.expect fault "use-after-free"
.expect case "a descriptor that is no epoll set"
.expect world four_ends.world.yaml
.expect over "epoll=100/3"
.expect with "epoll=v1"
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
  if r8 == 0 goto last
  r1 = *(u32 *)(r8 + offsetof(epitem, ffd.fd))
  *(u64 *)(r10 -8) = r1
  r1 = *(u64 *)(r8 + offsetof(epitem, ffd.file))
  r1 = *(u64 *)(r1 + offsetof(file, f_op))
  r4 = r10
  r4 += -8
  w5 = 8
  r2 = pipefifo_fops ll
  if r1 != r2 goto other
  r1 = r7
  r2 = pipe ll
  w3 = 9
  call bpf_seq_printf
  goto out
other:
  r1 = r7
  r2 = socket ll
  w3 = 11
  call bpf_seq_printf
  goto out
last:
  r1 = r7
  r2 = end ll
  w3 = 3
  r4 = 0
  w5 = 0
  call bpf_seq_printf
out:
  r0 = 0
  exit
