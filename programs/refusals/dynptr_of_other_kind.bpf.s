# Only a record of a ring is submitted.
.map values array key_size=4 value_size=16 max_entries=1
.section "tc"
.program "int prog(void *ctx)"
.expect verdict reject
.expect message "arg 1 is an unacquired reference"
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = values ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r6 = r0
  r1 = r6
  r2 = 8
  r3 = 0
  r4 = r10
  r4 += -24
  call bpf_dynptr_from_mem
  r1 = r10
  r1 += -24
  r2 = 0
  call bpf_ringbuf_submit_dynptr
out:
  r0 = 0
  exit
