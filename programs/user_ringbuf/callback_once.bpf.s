# The callback puts an index in order; nobody says that it is called. Up to Linux 6.7 callbacks were explored as if they were called
# exactly once, so this loaded, and with an empty ring it reads outside of the map.
.license "GPL"
.map samples user_ringbuf max_entries=4096
.map values array key_size=4 value_size=16 max_entries=1
.section "raw_tp/sys_enter"
.program "int drain(void *ctx)"
.expect verdict reject
.expect errno EACCES
.expect case "one sample"
.expect world one_sample.world.yaml
.expect verdict reject
.expect with "callbacks=6.1"
.expect verdict accept
.expect unsound "no call of a callback and a second one are not explored"
.expect return 0
.expect case "nothing was published"
.expect with "callbacks=6.1"
.expect verdict accept
.expect fault "out-of-bounds"
  w1 = 0
  *(u32 *)(r10 -4) = w1
  r1 = 20
  *(u64 *)(r10 -16) = r1
  r1 = samples ll
  r2 = order ll
  r3 = r10
  r3 += -16
  r4 = 0
  call bpf_user_ringbuf_drain
  r1 = values ll
  r2 = r10
  r2 += -4
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r1 = *(u64 *)(r10 -16)
  r0 += r1
  r0 = *(u8 *)(r0 +0)
out:
  r0 = 0
  exit
.func "static long order(struct bpf_dynptr *sample, long *index)"
  r1 = 0
  *(u64 *)(r2 +0) = r1
  r0 = 0
  exit
