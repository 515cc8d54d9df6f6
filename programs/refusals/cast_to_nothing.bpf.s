# Memory is cast to types that exist.
.section "tc"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "Unknown type ID 16777215 passed to kfunc bpf_rdonly_cast"
  r1 = 0
  r2 = 16777215
  call bpf_rdonly_cast
  r0 = 0
  exit
