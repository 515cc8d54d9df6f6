; What other functions return cannot be replaced.
.license "GPL"
.section "fmod_ret/do_nanosleep"
.program prog
r0 = 0
exit
