# A weak kfunc that the loader did not find is called only where no path comes. Found by the fuzzer: it used to pass.
.section "tc"
.program "int prog(void *ctx)"
.expect verdict reject
.expect errno EINVAL
.expect message "invalid kernel function call not eliminated in verifier pass"
  call kernel-function#0
  r0 = 0
  exit
