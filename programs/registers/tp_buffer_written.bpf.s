# The writable buffer of a raw tracepoint.
.section "raw_tp.w/nbd_send_request"
.program "int prog(void *ctx)"
.expect verdict accept
  r2 = *(u64 *)(r1 +0)
  *(u32 *)(r2 +0) = 1
  r0 = 0
  exit
