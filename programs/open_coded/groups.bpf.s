# A control group and what is below it, by the open-coded iterator over their states. Answers how many there are.
.license "GPL"
.section "tp_btf/sched_switch"
.program "int count(void *ctx)"
.expect verdict accept
.expect case "three groups below the root"
.expect world groups.world.yaml
.expect return 4
  r1 = 1 ll
  call bpf_cgroup_from_id
  if r0 == 0 goto none
  r7 = r0
  r1 = r10
  r1 += -24
  r2 = r7
  r2 += offsetof(cgroup, self)
  w3 = 2
  call bpf_iter_css_new
  r6 = 0
next:
  r1 = r10
  r1 += -24
  call bpf_iter_css_next
  if r0 == 0 goto done
  r6 += 1
  goto next
done:
  r1 = r10
  r1 += -24
  call bpf_iter_css_destroy
  r1 = r7
  call bpf_cgroup_release
  r0 = r6
  exit
none:
  r0 = 0
  exit
