# Fields of a map are read through its BTF struct.
.map values array key="int" value="long long" max_entries=2
.section "kprobe/do_nanosleep"
.program "int prog(void *ctx)"
.expect verdict accept
  r1 = values ll
  w0 = *(u32 *)(r1 +24)
  r0 = 0
  exit
