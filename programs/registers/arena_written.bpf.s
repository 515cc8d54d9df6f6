# A page of an arena is written after a cast.
.map pages arena max_entries=1 flags=BPF_F_MMAPABLE map_extra=0x100000000000
.section "syscall"
.program "int prog(void *ctx)"
.expect verdict accept
  r1 = pages ll
  r2 = 0
  r3 = 1
  r4 = -1
  r5 = 0
  call bpf_arena_alloc_pages
  r0 = addr_space_cast(r0, 0x0, 0x1)
  *(u64 *)(r0 +0) = 1
  r0 = 0
  exit
