# What is pushed to the front comes before what is pushed to the back. struct item is type 11 of the program.
.c {
  struct bpf_spin_lock { __u32 val; };
  struct bpf_list_head { __u64 opaque[2]; };
  struct bpf_list_node { __u64 opaque[3]; };
  struct item { struct bpf_list_node list; int data; };
  struct queue { struct bpf_spin_lock lock; struct bpf_list_head head __contains(item, list); };
}
.map queues array key="__u32" value="struct queue" max_entries=1
.section "tc"
.program "int prog(void *ctx)"
.expect verdict accept
.expect return 20
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = queues ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r6 = r0
  r1 = 11
  r2 = 0
  call bpf_obj_new_impl
  if r0 == 0 goto out
  r7 = r0
  *(u32 *)(r7 +24) = 10
  r1 = r6
  call bpf_spin_lock
  r1 = r6
  r1 += 8
  r2 = r7
  r3 = 0
  r4 = 0
  call bpf_list_push_back_impl
  r1 = r6
  call bpf_spin_unlock
  r1 = 11
  r2 = 0
  call bpf_obj_new_impl
  if r0 == 0 goto out
  r7 = r0
  *(u32 *)(r7 +24) = 20
  r1 = r6
  call bpf_spin_lock
  r1 = r6
  r1 += 8
  r2 = r7
  r3 = 0
  r4 = 0
  call bpf_list_push_front_impl
  r1 = r6
  r1 += 8
  call bpf_list_pop_front
  r8 = r0
  r1 = r6
  call bpf_spin_unlock
  if r8 == 0 goto out
  r9 = *(u32 *)(r8 +24)
  r1 = r8
  r2 = 0
  call bpf_obj_drop_impl
  r0 = r9
  exit
out:
  r0 = 0
  exit
