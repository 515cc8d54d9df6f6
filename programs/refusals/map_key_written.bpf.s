# Keys that a callback sees are only read.
.map values array key="int" value="long long" max_entries=2
.section "tc"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "write to change key R2 not allowed"
  r1 = values ll
  r2 = each ll
  r3 = 0
  r4 = 0
  call bpf_for_each_map_elem
  r0 = 0
  exit
.func "static long each(void *map, void *key, void *value, void *data)"
  *(u32 *)(r2 +0) = 1
  r0 = 0
  exit
