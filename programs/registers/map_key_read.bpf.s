# A callback of bpf_for_each_map_elem reads the key.
.map values array key="int" value="long long" max_entries=2
.section "tc"
.program "int prog(void *ctx)"
.expect verdict accept
  r1 = values ll
  r2 = each ll
  r3 = 0
  r4 = 0
  call bpf_for_each_map_elem
  r0 = 0
  exit
.func "static long each(void *map, void *key, void *value, void *data)"
  w0 = *(u32 *)(r2 +0)
  r0 = 0
  exit
