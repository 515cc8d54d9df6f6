# What is popped from a list is owned, and dropped.
.c {
  struct bpf_spin_lock { __u32 val; };
  struct bpf_list_head { __u64 opaque[2]; };
  struct bpf_list_node { __u64 opaque[3]; };
  struct bpf_rb_root { __u64 opaque[2]; };
  struct bpf_rb_node { __u64 opaque[4]; };
  struct item { struct bpf_list_node list; int data; };
  struct leaf { struct bpf_rb_node tree; int data; };
  struct graph {
    struct bpf_spin_lock lock;
    struct bpf_list_head head __contains(item, list);
    struct bpf_rb_root root __contains(leaf, tree);
  };
}
.map graphs array key="__u32" value="struct graph" max_entries=1
.section "tc"
.program "int prog(void *ctx)"
.expect verdict accept
.expect return 0
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = graphs ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r6 = r0
  r1 = r6
  call bpf_spin_lock
  r1 = r6
  r1 += 8
  call bpf_list_pop_front
  r8 = r0
  r1 = r6
  call bpf_spin_unlock
  if r8 == 0 goto out
  r1 = r8
  r2 = 0
  call bpf_obj_drop_impl
out:
  r0 = 0
  exit
