# A tracepoint buffer begins at its pointer.
.section "raw_tp.w/nbd_send_request"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "R2 invalid tracepoint buffer access: off=-4, size=4"
  r2 = *(u64 *)(r1 +0)
  *(u32 *)(r2 -4) = 1
  r0 = 0
  exit
