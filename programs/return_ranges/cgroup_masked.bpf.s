# A masked one is not.
.section "cgroup/sock_create"
.program cgroup_masked
.expect verdict accept
  call bpf_get_prandom_u32
  r0 &= 1
  exit
