# Results are changed only of functions that allow it.
.section "fmod_ret/vfs_read"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "vfs_read() is not modifiable"
  r0 = 0
  exit
