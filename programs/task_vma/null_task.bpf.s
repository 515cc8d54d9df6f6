# The areas of a task that nobody vouches for: the pointer was read from another task, and is NULL here. Version 3 took any task and
# asked at run time; since version 4 the task has to be trusted, or protected by RCU.
.license "GPL"
.section "raw_tp/sys_enter"
.program walk
.expect verdict reject
.expect message "R2 must be a rcu pointer"
.expect case "a task that never woke another"
.expect world three_areas.world.yaml
.expect with base "task_vma=6.7"
.expect verdict reject
.expect errno EINVAL
.expect message "R2 must be a rcu pointer"
.expect with "task_vma=v3"
.expect verdict accept
.expect unsound "the task may be freed while a reference to it is taken"
.expect return -ENOENT
  call bpf_get_current_task_btf
  r2 = *(u64 *)(r0 + offsetof(task_struct, last_wakee))
  r1 = r10
  r1 += -8
  r3 = 0
  call bpf_iter_task_vma_new
  r6 = r0
  r1 = r10
  r1 += -8
  call bpf_iter_task_vma_destroy
  r0 = r6
  exit
