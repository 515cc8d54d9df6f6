import type { Case } from '../fixture.ts';

const returning = (section: string, r0: string): string => `.section "${section}"\n.program "int prog(void *ctx)"\n${r0}; exit`;

export const RETURNS: readonly Case[] = [
  { rule: 'a socket filter returns any number', text: 'call bpf_ktime_get_ns; exit' },
  {
    rule: 'r0 must be written',
    text: 'r1 = 0; exit',
    refused: ['EACCES', 'R0 !read_ok'],
  },
  { rule: 'a privileged socket filter may even return a pointer', text: 'r0 = r1; exit' },
  {
    rule: 'a pointer is no answer where the answer matters',
    text: returning('cgroup/dev', 'r0 = r1'),
    refused: ['EINVAL', 'At program exit the register R0 is not a known value (ctx)'],
  },
  {
    rule: 'a cgroup answers 0 or 1',
    text: returning('cgroup/dev', 'r0 = 2'),
    refused: ['EINVAL', 'At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]'],
  },
  {
    rule: 'a negative answer of a cgroup',
    text: returning('cgroup/dev', 'r0 = -1'),
    refused: ['EINVAL', 'At program exit the register R0 has smin=-1 smax=-1 should have been in [0, 1]'],
  },
  {
    rule: 'an unknown answer of a cgroup',
    text: returning('cgroup/dev', 'call bpf_ktime_get_ns'),
    refused: ['EINVAL', 'At program exit the register R0 has unknown scalar value should have been in [0, 1]'],
  },
  {
    rule: 'an answer with a bound on one side',
    text: returning('cgroup/dev', 'call bpf_ktime_get_ns; if r0 s> 5 goto +2; r0 = 0; exit; r0 = r0'),
    refused: ['EINVAL', 'At program exit the register R0 has smin=6 should have been in [0, 1]'],
  },
  { rule: 'outgoing packets of a cgroup: 0 to 3', text: returning('cgroup_skb/egress', 'r0 = 3') },
  {
    rule: 'incoming packets of a cgroup: 0 or 1',
    text: returning('cgroup_skb/ingress', 'r0 = 3'),
    refused: ['EINVAL', 'At program exit the register R0 has smin=3 smax=3 should have been in [0, 1]'],
  },
  { rule: 'a bind answers 0 to 3', text: returning('cgroup/bind4', 'r0 = 3') },
  {
    rule: 'a receive answers 1',
    text: returning('cgroup/recvmsg4', 'r0 = 0'),
    refused: ['EINVAL', 'At program exit the register R0 has smin=0 smax=0 should have been in [1, 1]'],
  },
  {
    rule: 'a netfilter hook drops or accepts',
    text: returning('netfilter', 'r0 = 2'),
    refused: ['EINVAL', 'At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]'],
  },
  {
    rule: 'a probe of a session answers 0 or 1',
    text: returning('kprobe.session/x', 'r0 = 2'),
    refused: ['EINVAL', 'At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]'],
  },
  { rule: 'a probe returns any number', text: returning('kprobe/x', 'r0 = 2') },
  { rule: 'a typed tracepoint returns any number', text: returning('tp_btf/task_newtask', 'r0 = 2') },
  {
    rule: 'an iterator answers 0 or 1',
    text: returning('iter/task', 'r0 = 2'),
    refused: ['EINVAL', 'At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]'],
  },
  {
    rule: 'a global function returns a number',
    text: '.program "int prog(void *ctx)"\nr1 = 0; call f; r0 = 0; exit\n.func "int f(int x)"\nr0 = r10; exit',
    refused: ['EINVAL', 'At subprogram exit the register R0 is not a scalar value (fp)'],
  },
  {
    rule: 'a tail call from a function may leave it with any number',
    text: `.map jumps prog_array key_size=4 value_size=4 max_entries=3
      .section "cgroup_skb/ingress"
      .program "int prog(void *ctx)"
      call f; exit
      .func "static int f(void *ctx)"
      r2 = jumps ll; r3 = 0; call bpf_tail_call; r0 = 0; exit`,
    refused: ['EINVAL', 'At program exit the register R0 has unknown scalar value should have been in [0, 1]'],
  },
  {
    rule: 'a tail call holds no reference',
    text: `.map jumps prog_array key_size=4 value_size=4 max_entries=3
      .map ring ringbuf max_entries=4096
      .section "classifier"
      r6 = r1; r1 = ring ll; r2 = 8; r3 = 0; call bpf_ringbuf_reserve; r7 = r0
      r1 = r6; r2 = jumps ll; r3 = 0; call bpf_tail_call; r0 = 0; exit`,
    refused: ['EINVAL', 'tail_call would lead to reference leak'],
  },
  {
    rule: 'a tail call with two maps cannot be bound to one',
    text: `.map jumps prog_array key_size=4 value_size=4 max_entries=3
      .map others prog_array key_size=4 value_size=4 max_entries=3
      .section "classifier"
      r6 = r1; call bpf_get_prandom_u32; r2 = jumps ll; if r0 == 0 goto go; r2 = others ll
      go: r1 = r6; r3 = 1; call bpf_tail_call; r0 = 0; exit`,
  },
  {
    rule: 'a format has as many conversions as values',
    text: `.rodata "const char fmt[8]" = "%d %d"
      .section "classifier"
      *(u64 *)(r10 - 8) = 1; r1 = r10; r1 += -32; r2 = 16; r3 = fmt ll; r4 = r10; r4 += -8; r5 = 8; call bpf_snprintf
      r0 = 0; exit`,
    refused: ['EINVAL', 'Invalid format string'],
  },
  {
    rule: 'values of a format have eight bytes each',
    text: `.rodata "const char fmt[8]" = "%d"
      .section "classifier"
      *(u64 *)(r10 - 8) = 1; r1 = r10; r1 += -32; r2 = 16; r3 = fmt ll; r4 = r10; r4 += -8; r5 = 4; call bpf_snprintf
      r0 = 0; exit`,
    refused: ['EINVAL', '9: (85) call bpf_snprintf#165'],
  },
  {
    rule: 'a format is constant',
    text: `.data "char fmt[8]" = "%d"
      .section "classifier"
      *(u64 *)(r10 - 8) = 1; r1 = r10; r1 += -32; r2 = 16; r3 = fmt ll; r4 = r10; r4 += -8; r5 = 8; call bpf_snprintf
      r0 = 0; exit`,
    refused: ['EACCES', "R3 does not point to a readonly map'"],
  },
  {
    rule: 'a format ends',
    text: `.rodata "const char fmt[2]" = "%d"
      .section "classifier"
      *(u64 *)(r10 - 8) = 1; r1 = r10; r1 += -32; r2 = 16; r3 = fmt ll; r4 = r10; r4 += -8; r5 = 8; call bpf_snprintf
      r0 = 0; exit`,
    refused: ['EINVAL', 'string is not zero-terminated'],
  },
];
