# A function of which the compiler has inlined every call has a type and no address: there is nothing to attach to.
.section "fentry/HUF_decompress4X1_usingDTable_internal_fast"
.program "int prog(void *ctx)"
.expect verdict reject
.expect errno ENOENT
.expect message "The address of function HUF_decompress4X1_usingDTable_internal_fast cannot be found"
  r0 = 0
  exit
