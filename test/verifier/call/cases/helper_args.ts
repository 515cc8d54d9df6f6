import type { Case } from '../fixture.ts';

const MAPS = `
.map values array key_size=4 value_size=16 max_entries=2
.map hashed hash key_size=4 value_size=16 max_entries=2
.map readonly array key_size=4 value_size=16 max_entries=2 flags=BPF_F_RDONLY_PROG
.map sizeless array key_size=4 value_size=16 max_entries=2 flags=BPF_F_INNER_MAP
.map ring ringbuf max_entries=4096
.map jumps prog_array key_size=4 value_size=4 max_entries=3
.map queue queue value_size=8 max_entries=4
.map sockets sockmap key_size=4 value_size=4 max_entries=2
`;

/** The key 1 at r10 - 8, its address in r2. */
const KEY = '*(u32 *)(r10 - 8) = 1; r2 = r10; r2 += -8';

export const HELPER_ARGS: readonly Case[] = [
  {
    rule: 'an id beyond the last helper is none',
    text: 'call unknown#4711\nexit',
    refused: ['EINVAL', 'invalid func unknown#4711'],
  },
  {
    rule: 'helper 0 has a name but no prototype',
    text: 'call unknown#0\nexit',
    refused: ['EINVAL', 'program of this type cannot use helper bpf_unspec#0'],
  },
  {
    rule: 'a helper of other program types',
    text: 'r1 = 0; r2 = 0; call bpf_redirect; exit',
    refused: ['EINVAL', 'program of this type cannot use helper bpf_redirect#23'],
  },
  {
    rule: 'a helper for GPL programs',
    text: '.license "Proprietary"\n.section "kprobe/x"\ncall bpf_get_current_task; r0 = 0; exit',
    refused: ['EINVAL', 'cannot call GPL-restricted function from non-GPL compatible program'],
  },
  {
    rule: 'an argument that was never written',
    text: `${MAPS} r1 = values ll; call bpf_map_lookup_elem; exit`,
    refused: ['EACCES', 'R2 !read_ok'],
  },
  {
    rule: 'a number is no map',
    text: `${MAPS} ${KEY}; r1 = 0; call bpf_map_lookup_elem; exit`,
    refused: ['EACCES', 'R1 type=scalar expected=map_ptr'],
  },
  {
    rule: 'a number is no memory',
    text: `${MAPS} r1 = values ll; r2 = 1; call bpf_map_lookup_elem; exit`,
    refused: ['EACCES', 'R2 type=scalar expected=fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf, trusted_ptr_'],
  },
  {
    rule: 'the context is no memory',
    text: `${MAPS} r2 = r1; r1 = values ll; call bpf_map_lookup_elem; exit`,
    refused: ['EACCES', 'R2 type=ctx expected=fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf, trusted_ptr_'],
  },
  {
    rule: 'a value that may be NULL is no memory',
    text: `${MAPS} ${KEY}; r1 = hashed ll; call bpf_map_lookup_elem
      r1 = hashed ll; r2 = r0; call bpf_map_lookup_elem; exit`,
    refused: [
      'EACCES',
      'R2 type=map_value_or_null expected=fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf, trusted_ptr_',
    ],
  },
  {
    rule: 'a key needs all its bytes on the stack',
    text: `${MAPS} r1 = values ll; r2 = r10; r2 += -2; call bpf_map_lookup_elem; exit`,
    refused: ['EINVAL', 'invalid read from stack R2 off=-2 size=4'],
  },
  {
    rule: 'a constant key below the size of an array finds a value',
    text: `${MAPS} ${KEY}; r1 = values ll; call bpf_map_lookup_elem; r0 = *(u64 *)(r0 + 8); exit`,
    log: ['R0=map_value(map=values,ks=4,vs=16)'],
  },
  {
    rule: 'a constant key beyond the size of an array may find none',
    text: `${MAPS} *(u32 *)(r10 - 8) = 2; r2 = r10; r2 += -8
      r1 = values ll; call bpf_map_lookup_elem; r0 = *(u64 *)(r0 + 8); exit`,
    refused: ['EACCES', "R0 invalid mem access 'map_value_or_null'"],
  },
  {
    rule: 'a constant key may find none in an array that stands for arrays of other sizes',
    text: `${MAPS} ${KEY}; r1 = sizeless ll; call bpf_map_lookup_elem; r0 = *(u64 *)(r0 + 8); exit`,
    refused: ['EACCES', "R0 invalid mem access 'map_value_or_null'"],
  },
  {
    rule: 'a key that was spilled with more bytes is not known',
    text: `${MAPS} r3 = 1; *(u64 *)(r10 - 8) = r3; r2 = r10; r2 += -8
      r1 = values ll; call bpf_map_lookup_elem; r0 = *(u64 *)(r0 + 8); exit`,
    refused: ['EACCES', "R0 invalid mem access 'map_value_or_null'"],
  },
  {
    rule: 'a key that was spilled below the middle of a slot is not known',
    text: `${MAPS} *(u32 *)(r10 - 4) = 1; r2 = r10; r2 += -4
      r1 = values ll; call bpf_map_lookup_elem; r0 = *(u64 *)(r0 + 8); exit`,
    refused: ['EACCES', "R0 invalid mem access 'map_value_or_null'"],
  },
  {
    rule: 'a key of zero bytes is known without a spill',
    text: `${MAPS} r3 = 0; *(u16 *)(r10 - 4) = r3; *(u16 *)(r10 - 2) = r3; r2 = r10; r2 += -4
      r1 = values ll; call bpf_map_lookup_elem; r0 = *(u64 *)(r0 + 8); exit`,
    log: ['fp-8=0000????', 'R0=map_value(map=values,ks=4,vs=16)'],
  },
  {
    rule: 'the key of a hash is not looked at',
    text: `${MAPS} ${KEY}; r1 = hashed ll; call bpf_map_lookup_elem; r0 = *(u64 *)(r0 + 8); exit`,
    refused: ['EACCES', "R0 invalid mem access 'map_value_or_null'"],
  },
  {
    rule: 'a map that programs may not write is not updated',
    text: `${MAPS} ${KEY}; *(u64 *)(r10 - 24) = 0; *(u64 *)(r10 - 16) = 0; r3 = r10; r3 += -24; r4 = 0
      r1 = readonly ll; call bpf_map_update_elem; r0 = 0; exit`,
    refused: ['EACCES', 'write into map forbidden'],
  },
  {
    rule: 'a map that does not take the helper',
    text: `${MAPS} ${KEY}; r1 = ring ll; call bpf_map_lookup_elem; r0 = 0; exit`,
    refused: ['EACCES', 'invalid zero-sized read'],
  },
  {
    rule: 'a program array is looked up by tail calls alone',
    text: `${MAPS} ${KEY}; r1 = jumps ll; call bpf_map_lookup_elem; r0 = 0; exit`,
    refused: ['EINVAL', 'cannot pass map_type 3 into func bpf_map_lookup_elem#1'],
  },
  {
    rule: 'a helper that takes other maps',
    text: `${MAPS} r1 = values ll; r2 = r10; r2 += -16; call bpf_map_pop_elem; r0 = 0; exit`,
    refused: ['EINVAL', 'cannot pass map_type 2 into func bpf_map_pop_elem#88'],
  },
  {
    rule: 'a tail call into something else than a program array',
    text: `${MAPS} r2 = values ll; r3 = 0; call bpf_tail_call; r0 = 0; exit`,
    refused: ['EINVAL', 'expected prog array map for tail call'],
  },
  {
    rule: 'memory that the helper fills need not be initialised',
    text: `${MAPS} r1 = queue ll; r2 = r10; r2 += -8; call bpf_map_pop_elem; r0 = *(u64 *)(r10 - 8); exit`,
    log: ['fp-8=mmmmmmmm'],
  },
  {
    rule: 'a size must not be negative',
    text: `.section "kprobe/x"
      r6 = 0; *(u64 *)(r10 - 8) = r6; r1 = r10; r1 += -8; r2 = -1; call bpf_trace_printk; r0 = 0; exit`,
    refused: ['EACCES', "R2 min value is negative, either use unsigned or 'var &= const'"],
  },
  {
    rule: 'a size must not be zero',
    text: `.section "kprobe/x"
      r6 = 0; *(u64 *)(r10 - 8) = r6; r1 = r10; r1 += -8; r2 = 0; call bpf_trace_printk; r0 = 0; exit`,
    refused: ['EACCES', 'R2 invalid zero-sized read: u64=[0,0]'],
  },
  {
    rule: 'a size needs a bound',
    text: `.section "kprobe/x"
      call bpf_get_prandom_u32; r2 = r0; r2 &= 0x7fffffff; r1 = r10; r1 += -8; r3 = r10; call bpf_probe_read_kernel; r0 = 0; exit`,
    refused: ['EACCES', "R2 unbounded memory access, use 'var &= const' or 'if (var < const)'"],
  },
  {
    rule: 'a pointer is no size',
    text: `.section "kprobe/x"
      r1 = r10; r1 += -8; r2 = r10; r3 = r10; call bpf_probe_read_kernel; r0 = 0; exit`,
    refused: ['EACCES', 'R2 type=fp expected=scalar'],
  },
  {
    rule: 'a copied string is as long as the size says, or an error',
    text: `.section "kprobe/x"
      r1 = r10; r1 += -8; r2 = 8; r3 = 0; call bpf_probe_read_kernel_str; exit`,
    log: ['R0=scalar(smin=smin32=-4095,smax=smax32=8)'],
  },
  {
    rule: 'the number of this CPU is below the number of CPUs',
    text: 'call bpf_get_smp_processor_id; exit',
    log: ['R0=scalar(smin=smin32=0,smax=umax=smax32=umax32=1,var_off=(0x0; 0x1))'],
  },
  {
    rule: 'a reservation has a constant size',
    text: `${MAPS} call bpf_get_prandom_u32; r2 = r0; r1 = ring ll; r3 = 0; call bpf_ringbuf_reserve; r0 = 0; exit`,
    refused: ['EACCES', "R2 is not a known constant'"],
  },
  {
    rule: 'a reserved record must be given back',
    text: `${MAPS} r1 = ring ll; r2 = 8; r3 = 0; call bpf_ringbuf_reserve; r0 = 0; exit`,
    refused: ['EINVAL', 'BPF_EXIT instruction in main prog would lead to reference leak'],
    log: ['Unreleased reference id=2 alloc_insn=4'],
  },
  {
    rule: 'what is released must be a reference',
    text: `${MAPS} r1 = ring ll; r2 = 8; r3 = 0; call bpf_ringbuf_reserve
      if r0 == 0 goto out; r6 = r0; r1 = r0; r2 = 0; call bpf_ringbuf_submit; r1 = r6; r2 = 0; call bpf_ringbuf_submit
      out: r0 = 0; exit`,
    refused: ['EACCES', 'R1 type=scalar expected=ringbuf_mem'],
  },
  {
    rule: 'what is released must be its beginning',
    text: `${MAPS} r1 = ring ll; r2 = 8; r3 = 0; call bpf_ringbuf_reserve
      if r0 == 0 goto out; r1 = r0; r1 += 1; r2 = 0; call bpf_ringbuf_submit
      out: r0 = 0; exit`,
    refused: ['EINVAL', 'R1 must have zero offset when passed to release func or trusted arg to kfunc'],
  },
  {
    rule: 'local storage takes no flags',
    text: `.map storage cgroup_storage key_size=8 value_size=8
      .section "cgroup_skb/egress"
      r1 = storage ll; r2 = 1; call bpf_get_local_storage; r0 = 0; exit`,
    refused: ['EINVAL', "get_local_storage() doesn't support non-zero flags"],
  },
  {
    rule: 'a socket map holds sockets, not values',
    text: `${MAPS} .section "classifier"
      ${KEY}; *(u64 *)(r10 - 16) = 0; r3 = r10; r3 += -16; r4 = 0; r1 = sockets ll; call bpf_map_update_elem; r0 = 0; exit`,
    refused: ['EACCES', 'R3 type=fp expected=sock_common, sock, tcp_sock, xdp_sock, ptr_, trusted_ptr_'],
  },
  {
    rule: 'a socket that a map gives is a reference',
    text: `${MAPS} .section "sk_skb/stream_verdict"
      ${KEY}; r1 = sockets ll; call bpf_map_lookup_elem; r0 = 0; exit`,
    refused: ['EINVAL', 'BPF_EXIT instruction in main prog would lead to reference leak'],
    log: ['R0=map_value_or_null(id=2,ref_obj_id=2'],
  },
  {
    rule: 'a packet goes to helpers that read packets',
    text: `.section "classifier"
      r2 = *(u32 *)(r1 + 76); r3 = *(u32 *)(r1 + 80); r4 = r2; r4 += 8; if r4 > r3 goto out
      r1 = r2; r2 = 8; call bpf_trace_printk
      out: r0 = 0; exit`,
    refused: ['EACCES', 'helper access to the packet is not allowed'],
  },
  {
    rule: 'a call that may move the packet ends pointers into it',
    text: `.section "classifier"
      r6 = r1; r7 = *(u32 *)(r1 + 76); r3 = *(u32 *)(r1 + 80); r4 = r7; r4 += 8; if r4 > r3 goto out
      r2 = 8; call bpf_skb_pull_data; r0 = *(u8 *)(r7 + 0)
      out: r0 = 0; exit`,
    refused: ['EACCES', "R7 invalid mem access 'scalar'"],
  },
  {
    rule: 'fixed memory must be aligned where the helper says so',
    text: `.section "cgroup/sysctl"
      r6 = 0; *(u64 *)(r10 - 16) = r6; r1 = r10; r1 += -16; r2 = 8; r3 = 0; r4 = r10; r4 += -12; call bpf_strtol; r0 = 0; exit`,
    refused: ['EACCES', 'misaligned stack access off 0+-12+0 size 8'],
  },
  {
    rule: 'a slice that is spilled over its own dynptr is no pointer any more',
    text: `${MAPS} .section "classifier"
      ${KEY}; r1 = values ll; call bpf_map_lookup_elem
      r1 = r0; r2 = 16; r3 = 0; r4 = r10; r4 += -32; call bpf_dynptr_from_mem
      r1 = r10; r1 += -32; r2 = 0; r3 = 8; call bpf_dynptr_data; if r0 == 0 goto out
      *(u64 *)(r10 - 32) = r0; r1 = *(u64 *)(r10 - 32); r1 = *(u64 *)(r1 + 0)
      out: r0 = 0; exit`,
    refused: ['EACCES', "R1 invalid mem access 'scalar'"],
  },
];
