# A tree gives its nodes back in order: of 3, 1 and 2 the first is 1. struct leaf is type 11 of the program.
.c {
  struct bpf_spin_lock { __u32 val; };
  struct bpf_rb_root { __u64 opaque[2]; };
  struct bpf_rb_node { __u64 opaque[4]; };
  struct leaf { struct bpf_rb_node tree; int data; };
  struct grove { struct bpf_spin_lock lock; struct bpf_rb_root root __contains(leaf, tree); };
}
.map groves array key="__u32" value="struct grove" max_entries=1
.section "tc"
.program "int prog(void *ctx)"
.expect verdict accept
.expect return 1
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = groves ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r6 = r0
  r1 = r6
  r2 = 3
  call add
  r1 = r6
  r2 = 1
  call add
  r1 = r6
  r2 = 2
  call add
  r9 = 0
  r1 = r6
  call bpf_spin_lock
  r1 = r6
  r1 += 8
  call bpf_rbtree_first
  if r0 == 0 goto leave
  r9 = *(u32 *)(r0 +32)
leave:
  r1 = r6
  call bpf_spin_unlock
  r0 = r9
  exit
out:
  r0 = 0
  exit
.func "static int add(struct grove *grove, int data)"
  r6 = r1
  r7 = r2
  r1 = 11
  r2 = 0
  call bpf_obj_new_impl
  if r0 == 0 goto none
  r8 = r0
  *(u32 *)(r8 +32) = r7
  r1 = r6
  call bpf_spin_lock
  r1 = r6
  r1 += 8
  r2 = r8
  r3 = less ll
  r4 = 0
  r5 = 0
  call bpf_rbtree_add_impl
  r1 = r6
  call bpf_spin_unlock
none:
  r0 = 0
  exit
.func "static bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b)"
  r0 = 0
  r3 = *(u32 *)(r1 +32)
  r4 = *(u32 *)(r2 +32)
  if r3 >= r4 goto over
  r0 = 1
over:
  exit
