# A weak kfunc that the loader did not find may stand where no path comes.
.section "tc"
.program "int prog(void *ctx)"
.expect verdict accept
.expect return 3
  r0 = 3
  if r0 == 3 goto out
  call kernel-function#0
out:
  exit
