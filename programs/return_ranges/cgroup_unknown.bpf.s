# An unknown number is out of any range.
.section "cgroup/sock_create"
.program cgroup_unknown
.expect verdict reject
.expect errno EINVAL
.expect message "At program exit the register R0 has unknown scalar value should have been in [0, 1]"
  call bpf_get_prandom_u32
  exit
