# The storage of a cgroup takes no flags.
.map first cgroup_storage key_size=16 value_size=8
.section "cgroup_skb/egress"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "get_local_storage() doesn't support non-zero flags"
  r1 = first ll
  r2 = 1
  call bpf_get_local_storage
  r0 = 1
  exit
