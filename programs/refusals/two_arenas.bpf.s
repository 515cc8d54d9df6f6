# A program has one arena.
.map first arena max_entries=1 flags=BPF_F_MMAPABLE map_extra=17592186044416
.map second arena max_entries=1 flags=BPF_F_MMAPABLE map_extra=17596481011712
.section "syscall"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "Only one arena per program"
  r1 = first ll
  r1 = second ll
  r0 = 0
  exit
