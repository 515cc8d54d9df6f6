# A referenced pointer is exchanged, not stored.
.c {
  struct task_struct { int x; };
  struct kept { struct task_struct __kptr *task; };
}
.map kept array key="__u32" value="struct kept" max_entries=1
.section "tp_btf/sched_switch"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "store to referenced kptr disallowed"
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = kept ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r6 = r0
  r1 = 0
  *(u64 *)(r6 +0) = r1
out:
  r0 = 0
  exit
