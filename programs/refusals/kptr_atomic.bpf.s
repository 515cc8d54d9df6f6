# A kernel pointer in a map is not counted up.
.c {
  struct task_struct { int x; };
  struct kept { struct task_struct __kptr *task; };
}
.map kept array key="__u32" value="struct kept" max_entries=1
.section "tp_btf/sched_switch"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "kptr in map can only be accessed using BPF_MEM instruction mode"
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = kept ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r6 = r0
  r1 = 1
  lock *(u64 *)(r6 +0) += r1
out:
  r0 = 0
  exit
