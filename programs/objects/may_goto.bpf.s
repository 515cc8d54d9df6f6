# A loop with a way out that time takes.
.section "socket"
.program "int prog(void *ctx)"
.expect verdict accept
  r0 = 0
again:
  may_goto done
  r0 += 1
  goto again
done:
  r0 = 0
  exit
