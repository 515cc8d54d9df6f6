# Drains a ring that user space fills, and prints each sample's length. Answers what the helper did.
.license "GPL"
.rodata "const char line[11]" = "%d bytes\n"
.map samples user_ringbuf max_entries=4096
.section "raw_tp/sys_enter"
.program "int drain(void *ctx)"
.expect verdict accept
.expect case "nothing was published"
.expect return 0
.expect wakeups samples 0
.expect with "user_ringbuf_drain=v3"
.expect return 0
.expect wakeups samples 0
.expect case "a sample of twelve bytes"
.expect world odd_length.world.yaml
.expect return 1
.expect printk "12 bytes"
.expect consumer samples 24
.expect wakeups samples 1
.expect with "user_ringbuf_drain=v3"
.expect return -EINVAL
.expect consumer samples 0
.expect wakeups samples 0
.expect case "discarded samples alone"
.expect world discards.world.yaml
.expect return 0
.expect consumer samples 48
.expect wakeups samples 1
.expect with "user_ringbuf_drain=v3"
.expect return 0
.expect consumer samples 48
.expect wakeups samples 0
.expect case "a sample larger than the ring"
.expect world too_large.world.yaml
.expect return -E2BIG
.expect with "user_ringbuf_drain=v3"
.expect return -EINVAL
.expect case "a ring that was full to the last byte"
.expect world full.world.yaml
.expect return 4
.expect wakeups samples 1
.expect with "user_ringbuf_drain=v3"
.expect return 4
.expect wakeups samples 2
.expect case "a ring that somebody else drains"
.expect world busy.world.yaml
.expect with base "user_ringbuf_drain=v3"
.expect return -EBUSY
.expect wakeups samples 0
  r1 = samples ll
  r2 = take ll
  r3 = 0
  r4 = 0
  call bpf_user_ringbuf_drain
  exit
.func "static long take(struct bpf_dynptr *sample, void *ctx)"
  call bpf_dynptr_size
  *(u64 *)(r10 -8) = r0
  r1 = line ll
  w2 = 11
  r3 = r10
  r3 += -8
  w4 = 8
  call bpf_trace_vprintk
  r0 = 0
  exit
