# Functions cannot call themselves without end.
.section "xdp"
.program recursion
.expect verdict reject
.expect errno E2BIG
.expect message "the call stack of 9 frames is too deep"
  call again
  exit
.func again
  call again
  exit
