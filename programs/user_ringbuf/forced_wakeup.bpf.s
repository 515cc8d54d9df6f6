# Drains and asks for a wake-up in any case (BPF_RB_FORCE_WAKEUP). Version 3 refused the flag; the reviewer asked why.
.license "GPL"
.map samples user_ringbuf max_entries=4096
.section "raw_tp/sys_enter"
.program "int forced(void *ctx)"
.expect verdict accept
.expect case "nothing was published"
.expect return 0
.expect wakeups samples 1
.expect with "user_ringbuf_drain=v3"
.expect return -EINVAL
.expect wakeups samples 0
.expect case "one sample"
.expect world one_sample.world.yaml
.expect return 1
.expect wakeups samples 1
.expect consumer samples 16
.expect with "user_ringbuf_drain=v3"
.expect return -EINVAL
.expect consumer samples 0
  r1 = samples ll
  r2 = take ll
  r3 = 0
  r4 = 2
  call bpf_user_ringbuf_drain
  exit
.func "static long take(struct bpf_dynptr *sample, void *ctx)"
  r0 = 0
  exit
