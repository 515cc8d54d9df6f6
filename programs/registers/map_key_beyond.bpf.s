# A key ends where the map says.
.map values array key="int" value="long long" max_entries=2
.section "tc"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "R2 min value is outside of the allowed memory range"
  r1 = values ll
  r2 = each ll
  r3 = 0
  r4 = 0
  call bpf_for_each_map_elem
  r0 = 0
  exit
.func "static long each(void *map, void *key, void *value, void *data)"
  r0 = *(u64 *)(r2 +0)
  r0 = 0
  exit
