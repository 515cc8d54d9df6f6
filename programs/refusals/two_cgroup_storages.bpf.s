# A program has one storage of a cgroup.
.map first cgroup_storage key_size=16 value_size=8
.map second cgroup_storage key_size=16 value_size=8
.section "cgroup_skb/egress"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "only one cgroup storage of each type is allowed"
  r1 = first ll
  r2 = 0
  call bpf_get_local_storage
  r1 = second ll
  r2 = 0
  call bpf_get_local_storage
  r0 = 1
  exit
