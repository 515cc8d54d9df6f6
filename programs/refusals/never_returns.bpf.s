# The end of a function that never returns is not traced.
.section "fexit/do_exit"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "Attaching fexit/fmod_ret to __noreturn function 'do_exit' is rejected."
  r0 = 0
  exit
