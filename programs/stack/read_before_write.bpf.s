# A privileged program may read what it never wrote.
.section "tracepoint/syscalls/sys_enter_open"
.program read_before_write
.expect verdict accept
  r0 = *(u64 *)(r10 -8)
  r0 = 0
  exit
