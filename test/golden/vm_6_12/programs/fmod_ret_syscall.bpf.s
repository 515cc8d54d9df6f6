; System calls may be made to fail.
.license "GPL"
.section "fmod_ret/__x64_sys_getpgid"
.program prog
r0 = -1
exit
