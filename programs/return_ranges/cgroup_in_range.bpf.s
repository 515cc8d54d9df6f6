# A cgroup hook says 0 or 1.
.section "cgroup_skb/ingress"
.program cgroup_in_range
.expect verdict accept
.expect return 1
  r0 = 1
  exit
