# A ring of 4 MiB for more samples than a drain may take, 131072. Version 3 stepped over discarded ones without counting them: a fast
# producer of discarded samples kept the kernel busy for as long as it liked.
.license "GPL"
.map samples user_ringbuf max_entries=4194304
.section "raw_tp/sys_enter"
.program "int drain(void *ctx)"
.expect verdict accept
.expect case "131073 discarded samples"
.expect world many_discards.world.yaml
.expect return 0
.expect consumer samples 2097152
.expect producer samples 2097168
.expect wakeups samples 1
.expect with "user_ringbuf_drain=v3"
.expect return 0
.expect consumer samples 2097168
.expect wakeups samples 0
  r1 = samples ll
  r2 = take ll
  r3 = 0
  r4 = 0
  call bpf_user_ringbuf_drain
  exit
.func "static long take(struct bpf_dynptr *sample, void *ctx)"
  r0 = 0
  exit
