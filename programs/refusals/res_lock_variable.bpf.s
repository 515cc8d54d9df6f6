# A resilient lock stands at one place of its value.
.c {
  struct bpf_res_spin_lock { __u32 val; };
  struct locked { int x; struct bpf_res_spin_lock lock; };
}
.map locks array key="__u32" value="struct locked" max_entries=2
.map others array key="__u32" value="struct locked" max_entries=2
.section "tc"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "doesn't have constant offset. bpf_res_spin_lock has to be at the constant offset"
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = locks ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r6 = r0
  call bpf_get_prandom_u32
  r0 &= 1
  r1 = r6
  r1 += r0
  call bpf_res_spin_lock
out:
  r0 = 0
  exit
