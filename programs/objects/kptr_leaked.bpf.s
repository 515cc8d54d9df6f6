# What was in the map before is a reference.
.c {
  struct task_struct { int x; };
  struct kept { struct task_struct __kptr *task; };
}
.map kept array key="__u32" value="struct kept" max_entries=1
.section "tp_btf/sched_switch"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "Unreleased reference id="
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = kept ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r6 = r0
  call bpf_get_current_task_btf
  r1 = r0
  call bpf_task_acquire
  if r0 == 0 goto out
  r1 = r6
  r2 = r0
  call bpf_kptr_xchg
  if r0 == 0 goto out
out:
  r0 = 0
  exit
