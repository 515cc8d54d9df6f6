# A map is not written through its pointer.
.map values array key="int" value="long long" max_entries=2
.section "kprobe/do_nanosleep"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "only read from bpf_array is supported"
  r1 = values ll
  *(u32 *)(r1 +24) = 0
  r0 = 0
  exit
