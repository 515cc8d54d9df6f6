# A bind hook may also ask to skip the capability check.
.section "cgroup/bind4"
.program bind_hook
.expect verdict accept
  r0 = 3
  exit
