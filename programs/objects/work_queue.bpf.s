# Work is prepared and started.
.c {
  struct bpf_wq { __u64 opaque[2]; };
  struct timed { __u64 pad; struct bpf_wq work; };
}
.map queues array key="__u32" value="struct timed" max_entries=1
.map others array key="__u32" value="struct timed" max_entries=1
.section "tc"
.program "int prog(void *ctx)"
.expect verdict accept
.expect return 0
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = queues ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r6 = r0
  r1 = r6
  r1 += 8
  r2 = queues ll
  r3 = 0
  call bpf_wq_init
  r1 = r6
  r1 += 8
  r2 = 0
  call bpf_wq_start
out:
  r0 = 0
  exit
