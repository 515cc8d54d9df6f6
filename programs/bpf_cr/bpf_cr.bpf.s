# The kernel side of bpf_cr, the sample of November 2021 that writes down an io_uring instance so that it can be made again.
# It needs the iterators that were proposed with it: --with io_uring_buf=v2 --with io_uring_file=v2
.license "GPL"
.c {
  struct ctx_map_val { int fd; bool init; };
}
.map fdtable_map hash key="u64" value="int" max_entries=16
.map io_ring_ctx_map hash key="u64" value="struct ctx_map_val" max_entries=16
.map sq_data_map hash key="u64" value="int" max_entries=16
.map eventfd_ctx_map hash key="u64" value="int" max_entries=16
.rodata "const volatile int tgid" = 0
.extern eventfd_fops
.extern io_uring_fops

# Every open file of the process: which descriptor stands for which file, ring, polling thread and eventfd.
.section "iter/task_file"
.program "int dump_task(struct bpf_iter__task_file *ctx)"
.expect verdict not-loaded
  r6 = r1
  r7 = *(u64 *)(r6 +8)
  if r7 == 0 goto out
  r1 = *(u32 *)(r7 + offsetof(task_struct, tgid))
  r2 = tgid ll
  r2 = *(u32 *)(r2 +0)
  if r1 != r2 goto out
  r8 = *(u64 *)(r6 +24)
  if r8 == 0 goto out
  r1 = *(u64 *)(r8 + offsetof(file, private_data))
  *(u64 *)(r10 -8) = r1
  r9 = *(u32 *)(r6 +16)
  *(u32 *)(r10 -12) = r9
  *(u32 *)(r10 -24) = r9
  w1 = 0
  *(u32 *)(r10 -20) = w1
  r1 = *(u64 *)(r8 + offsetof(file, f_op))
  r2 = eventfd_fops ll
  if r1 != r2 goto ring
  r1 = eventfd_ctx_map ll
  r2 = r10
  r2 += -8
  r3 = r10
  r3 += -12
  r4 = 0
  call bpf_map_update_elem
  goto file
ring:
  r2 = io_uring_fops ll
  if r1 != r2 goto file
  r1 = io_ring_ctx_map ll
  r2 = r10
  r2 += -8
  r3 = r10
  r3 += -24
  r4 = 0
  call bpf_map_update_elem
  r3 = *(u64 *)(r8 + offsetof(file, private_data))
  r3 += offsetof(io_ring_ctx, sq_data)
  r1 = r10
  r1 += -8
  w2 = 8
  call bpf_probe_read_kernel
  r1 = sq_data_map ll
  r2 = r10
  r2 += -8
  r3 = r10
  r3 += -12
  r4 = 1
  call bpf_map_update_elem
file:
  *(u64 *)(r10 -8) = r8
  r1 = fdtable_map ll
  r2 = r10
  r2 += -8
  r3 = r10
  r3 += -12
  r4 = 1
  call bpf_map_update_elem
out:
  r0 = 0
  exit

# Every registered buffer of a ring; the first call writes down the ring itself.
.section "iter/io_uring_buf"
.program "int dump_io_uring_buf(struct bpf_iter__io_uring_buf *ctx)"
.expect verdict not-loaded
  r6 = r1
  r1 = *(u64 *)(r6 +0)
  r7 = *(u64 *)(r1 +0)
  r9 = *(u64 *)(r6 +16)
  r1 = 0
  *(u64 *)(r10 -40) = r1
  *(u64 *)(r10 -32) = r1
  *(u64 *)(r10 -24) = r1
  *(u64 *)(r10 -16) = r1
  *(u64 *)(r10 -8) = r1
  r1 = *(u64 *)(r6 +8)
  *(u64 *)(r10 -48) = r1
  r1 = io_ring_ctx_map ll
  r2 = r10
  r2 += -48
  call bpf_map_lookup_elem
  r8 = r0
  r1 = *(u64 *)(r6 +0)
  r1 = *(u64 *)(r1 +16)
  if r1 != 0 goto record
  w3 = 0
  if r8 == 0 goto setup
  r3 = *(u32 *)(r8 +0)
setup:
  r1 = r7
  r2 = *(u64 *)(r6 +8)
  call dump_io_ring_ctx
record:
  if r9 == 0 goto out
  w1 = 3
  *(u32 *)(r10 -40) = w1
  if r8 == 0 goto index
  r1 = *(u32 *)(r8 +0)
  *(u32 *)(r10 -36) = r1
index:
  r1 = *(u64 *)(r6 +24)
  *(u64 *)(r10 -8) = r1
  r1 = *(u64 *)(r6 +8)
  r1 = *(u64 *)(r1 + offsetof(io_ring_ctx, dummy_ubuf))
  if r9 == r1 goto write
  r1 = *(u64 *)(r9 + offsetof(io_mapped_ubuf, ubuf))
  *(u64 *)(r10 -24) = r1
  r2 = *(u64 *)(r9 + offsetof(io_mapped_ubuf, ubuf_end))
  r2 -= r1
  *(u64 *)(r10 -16) = r2
write:
  r1 = r7
  r2 = r10
  r2 += -40
  w3 = 40
  call bpf_seq_write
out:
  r0 = 0
  exit

# Every registered file of a ring; empty slots and the end write nothing.
.section "iter/io_uring_file"
.program "int dump_io_uring_file(struct bpf_iter__io_uring_file *ctx)"
.expect verdict not-loaded
  r6 = r1
  r1 = *(u64 *)(r6 +0)
  r7 = *(u64 *)(r1 +0)
  r9 = *(u64 *)(r6 +16)
  r1 = 0
  *(u64 *)(r10 -40) = r1
  *(u64 *)(r10 -32) = r1
  *(u64 *)(r10 -24) = r1
  *(u64 *)(r10 -16) = r1
  *(u64 *)(r10 -8) = r1
  r1 = *(u64 *)(r6 +8)
  *(u64 *)(r10 -48) = r1
  r1 = io_ring_ctx_map ll
  r2 = r10
  r2 += -48
  call bpf_map_lookup_elem
  r8 = r0
  r1 = *(u64 *)(r6 +0)
  r1 = *(u64 *)(r1 +16)
  if r1 != 0 goto record
  w3 = 0
  if r8 == 0 goto setup
  r3 = *(u32 *)(r8 +0)
setup:
  r1 = r7
  r2 = *(u64 *)(r6 +8)
  call dump_io_ring_ctx
record:
  if r9 == 0 goto out
  w1 = 2
  *(u32 *)(r10 -40) = w1
  if r8 == 0 goto index
  r1 = *(u32 *)(r8 +0)
  *(u32 *)(r10 -36) = r1
index:
  r1 = *(u64 *)(r6 +24)
  *(u64 *)(r10 -16) = r1
  *(u64 *)(r10 -48) = r9
  r1 = fdtable_map ll
  r2 = r10
  r2 += -48
  call bpf_map_lookup_elem
  if r0 == 0 goto write
  r1 = *(u32 *)(r0 +0)
  *(u32 *)(r10 -24) = r1
write:
  r1 = r7
  r2 = r10
  r2 += -40
  w3 = 40
  call bpf_seq_write
out:
  r0 = 0
  exit

# Writes down a ring, and its eventfd if it has one, the first time it is asked to.
.section ".text"
.func "static void dump_io_ring_ctx(struct seq_file *seq, struct io_ring_ctx *ctx, int ring_fd)"
  r6 = r1
  r7 = r2
  r8 = r3
  *(u64 *)(r10 -48) = r7
  r1 = io_ring_ctx_map ll
  r2 = r10
  r2 += -48
  call bpf_map_lookup_elem
  if r0 == 0 goto fresh
  r1 = *(u8 *)(r0 +4)
  if r1 != 0 goto out
  w1 = 1
  *(u8 *)(r0 +4) = w1
fresh:
  r1 = 0
  *(u64 *)(r10 -40) = r1
  *(u64 *)(r10 -32) = r1
  *(u64 *)(r10 -24) = r1
  *(u64 *)(r10 -16) = r1
  *(u64 *)(r10 -8) = r1
  *(u32 *)(r10 -36) = r8
  r9 = *(u64 *)(r7 + offsetof(io_ring_ctx, sq_data))
  *(u64 *)(r10 -48) = r9
  r1 = *(u32 *)(r7 + offsetof(io_ring_ctx, flags))
  r1 &= 32
  if r1 == 0 goto fields
  r1 = sq_data_map ll
  r2 = r10
  r2 += -48
  call bpf_map_lookup_elem
  if r0 == 0 goto fields
  r1 = *(u32 *)(r0 +0)
  *(u32 *)(r10 -4) = r1
fields:
  r1 = *(u32 *)(r7 + offsetof(io_ring_ctx, flags))
  *(u32 *)(r10 -24) = r1
  r1 = *(u32 *)(r7 + offsetof(io_ring_ctx, sq_entries))
  *(u32 *)(r10 -20) = r1
  r1 = *(u32 *)(r7 + offsetof(io_ring_ctx, cq_entries))
  *(u32 *)(r10 -16) = r1
  r1 = *(u32 *)(r9 + offsetof(io_sq_data, sq_cpu))
  *(u32 *)(r10 -12) = r1
  r1 = *(u32 *)(r9 + offsetof(io_sq_data, sq_thread_idle))
  *(u32 *)(r10 -8) = r1
  r1 = r6
  r2 = r10
  r2 += -40
  w3 = 40
  call bpf_seq_write
  r1 = *(u64 *)(r7 + offsetof(io_ring_ctx, cq_ev_fd))
  if r1 == 0 goto out
  *(u64 *)(r10 -48) = r1
  w1 = 1
  *(u32 *)(r10 -40) = w1
  r1 = eventfd_ctx_map ll
  r2 = r10
  r2 += -48
  call bpf_map_lookup_elem
  if r0 == 0 goto async
  r1 = *(u32 *)(r0 +0)
  *(u32 *)(r10 -24) = r1
async:
  r1 = *(u32 *)(r7 + offsetof(io_ring_ctx, eventfd_async))
  r1 >>= 2
  r1 &= 1
  *(u8 *)(r10 -20) = r1
  r1 = r6
  r2 = r10
  r2 += -40
  w3 = 40
  call bpf_seq_write
out:
  r0 = 0
  exit
