# A timer is prepared, given its function, and started.
.c {
  struct bpf_timer { __u64 opaque[2]; };
  struct timed { __u64 pad; struct bpf_timer timer; };
}
.map timers array key="__u32" value="struct timed" max_entries=1
.map others array key="__u32" value="struct timed" max_entries=1
.section "tc"
.program "int prog(void *ctx)"
.expect verdict accept
.expect return 0
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = timers ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r6 = r0
  r1 = r6
  r1 += 8
  r2 = timers ll
  r3 = 1
  call bpf_timer_init
  r1 = r6
  r1 += 8
  r2 = tick ll
  call bpf_timer_set_callback
  r1 = r6
  r1 += 8
  r2 = 1000
  r3 = 0
  call bpf_timer_start
out:
  r0 = 0
  exit
.func "static int tick(void *map, int *key, void *value)"
  r0 = 0
  exit
