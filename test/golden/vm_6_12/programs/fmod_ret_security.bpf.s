; The functions of the security layer may be overruled.
.license "GPL"
.section "fmod_ret/security_file_open"
.program prog
r0 = 0
exit
