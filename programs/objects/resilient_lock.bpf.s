# A lock that may refuse is asked whether it did.
.c {
  struct bpf_res_spin_lock { __u32 val; };
  struct locked { int x; struct bpf_res_spin_lock lock; };
}
.map locks array key="__u32" value="struct locked" max_entries=2
.section "tc"
.program "int prog(void *ctx)"
.expect verdict accept
.expect return 0
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = locks ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r6 = r0
  r1 = r6
  r1 += 4
  call bpf_res_spin_lock
  if r0 != 0 goto out
  r1 = r6
  r1 += 4
  call bpf_res_spin_unlock
out:
  r0 = 0
  exit
