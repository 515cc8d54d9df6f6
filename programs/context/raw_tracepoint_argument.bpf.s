# Arguments of a raw tracepoint are numbers.
.section "raw_tp/sched_switch"
.program raw_tracepoint_argument
.expect verdict accept
  r0 = *(u64 *)(r1 +8)
  r0 = 0
  exit
