# Makes another dynptr out of that of a sample. As PTR_TO_DYNPTR it went where an uninitialised dynptr is wanted, unchecked; the
# program then writes over what belongs to the kernel. CONST_PTR_TO_DYNPTR is refused there.
.license "GPL"
.map samples user_ringbuf max_entries=4096
.map values array key_size=4 value_size=8 max_entries=1
.section "raw_tp/sys_enter"
.program "int drain(void *ctx)"
.expect verdict reject
.expect errno EINVAL
.expect message "Dynptr has to be an uninitialized dynptr"
.expect case "one sample"
.expect world one_sample.world.yaml
.expect verdict reject
.expect errno EINVAL
.expect message "Dynptr has to be an uninitialized dynptr"
.expect with "dynptr-callback=v3"
.expect verdict accept
.expect unsound "the dynptr of a sample can be initialised again, so that it points to memory that the program does not own"
.expect fault "read-only"
  r1 = samples ll
  r2 = take ll
  r3 = 0
  r4 = 0
  call bpf_user_ringbuf_drain
  exit
.func "static long take(struct bpf_dynptr *sample, void *ctx)"
  r6 = r1
  w1 = 0
  *(u32 *)(r10 -4) = w1
  r1 = values ll
  r2 = r10
  r2 += -4
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r1 = r0
  w2 = 8
  r3 = 0
  r4 = r6
  call bpf_dynptr_from_mem
out:
  r0 = 0
  exit
