# Some functions of the kernel are not traced.
.section "fentry/migrate_disable"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "Attaching tracing programs to function 'migrate_disable' is rejected."
  r0 = 0
  exit
