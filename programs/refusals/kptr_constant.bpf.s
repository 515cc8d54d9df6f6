# Nothing but NULL is stored over a kernel pointer as a constant.
.c {
  struct task_struct { int x; };
  struct kept { struct task_struct __kptr_untrusted *task; };
}
.map kept array key="__u32" value="struct kept" max_entries=1
.section "tp_btf/sched_switch"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "BPF_ST imm must be 0 when storing to kptr at off=0"
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = kept ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r6 = r0
  *(u64 *)(r6 +0) = 5
out:
  r0 = 0
  exit
