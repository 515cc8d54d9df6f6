# Outgoing packets may be marked for congestion: 0 to 3.
.section "cgroup_skb/egress"
.program cgroup_egress
.expect verdict accept
.expect return 3
  r0 = 3
  exit
