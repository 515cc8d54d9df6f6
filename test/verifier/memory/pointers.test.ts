import { describeRules, type Rule } from '../rules.ts';

const MAP =
  '.map values array key="int" value="long long" max_entries=2\n.map pair hash key_size=8 value_size=16 max_entries=4\n';
const lookup = (body: string): string =>
  `.section "socket"\n${MAP}.program test\n*(u64 *)(r10 -8) = 0\nr2 = r10\nr2 += -8\nr1 = pair ll\ncall bpf_map_lookup_elem\nif r0 == 0 goto out\n${body}\nout:\nr0 = 0\nexit`;
const RODATA = '.section "socket"\n.rodata "const volatile int limit" = 5\n.program test\n';

const mapRules: Rule[] = [
  ['inside the value', lookup('r1 = *(u64 *)(r0 +8)'), 'accept'],
  ['behind the value', lookup('r1 = *(u64 *)(r0 +12)'), 'R0 min value is outside of the allowed memory range'],
  ['before the value', lookup('r1 = *(u64 *)(r0 -8)'), 'R0 min value is outside of the allowed memory range'],
  ['bounded variable offset', lookup('r6 = r0\ncall bpf_get_prandom_u32\nr0 &= 8\nr6 += r0\nr1 = *(u64 *)(r6 +0)'), 'accept'],
  [
    'variable offset too large',
    lookup('r6 = r0\ncall bpf_get_prandom_u32\nr0 &= 15\nr6 += r0\nr1 = *(u64 *)(r6 +0)'),
    'R6 max value is outside of the allowed memory range',
  ],
  [
    'unbounded index',
    lookup('r6 = r0\ncall bpf_get_prandom_u32\nr6 += r0\nr1 = *(u8 *)(r6 +0)'),
    'math between map_value pointer and register with unbounded min value is not allowed',
  ],
  [
    'negative index',
    lookup('r6 = r0\ncall bpf_get_prandom_u32\nr0 s>>= 1\nif r0 s> 7 goto out\nr0 s>>= 60\nr6 += r0\nr1 = *(u8 *)(r6 +0)'),
    'R6 min value is negative, either use unsigned index or do a if (index >=0) check.',
  ],
  [
    'a constant of a frozen map is known',
    `${RODATA}r1 = limit ll\nw0 = *(u32 *)(r1 +0)\nif w0 == 5 goto +1\nr0 = r9\nexit`,
    'accept',
  ],
  [
    'a frozen map is read only',
    `${RODATA}r1 = limit ll\n*(u32 *)(r1 +0) = 1\nr0 = 0\nexit`,
    'write into map forbidden, value_size=4 off=0 size=4',
  ],
  ['pointers do not go into maps without privilege', lookup('*(u64 *)(r0 +0) = r10'), 'R10 leaks addr into map', 'unprivileged'],
];

describeRules('map values', mapRules);

describeRules('contexts', [
  ['a field', 'r0 = *(u32 *)(r1 +0)\nexit', 'accept'],
  ['part of a field', 'r0 = *(u8 *)(r1 +0)\nexit', 'accept'],
  ['a field that is not for this program type', 'r0 = *(u32 *)(r1 +76)\nexit', 'invalid bpf_context access off=76 size=4'],
  ['behind the context', 'r0 = *(u32 *)(r1 +1000)\nexit', 'invalid bpf_context access off=1000 size=4'],
  ['store to a read-only field', '*(u32 *)(r1 +0) = 1\nr0 = 0\nexit', 'invalid bpf_context access off=0 size=4'],
  ['a moved context pointer', 'r1 += 4\nr0 = *(u32 *)(r1 +0)\nexit', 'dereference of modified ctx ptr R1 off=4 disallowed'],
  [
    'a variable context pointer',
    'r6 = r1\ncall bpf_get_prandom_u32\nr0 &= 4\nr6 += r0\nr0 = *(u32 *)(r6 +0)\nexit',
    'variable ctx access var_off=(0x0; 0x4) disallowed',
  ],
  [
    'typed tracepoint arguments',
    '.section "tp_btf/sched_switch"\n.program test\nr2 = *(u64 *)(r1 +8)\nw0 = *(u32 *)(r2 +1264)\nr0 = 0\nexit',
    'accept',
  ],
  [
    'one too many of them',
    '.section "tp_btf/sched_switch"\n.program test\nr2 = *(u64 *)(r1 +64)\nr0 = 0\nexit',
    'invalid bpf_context access off=64 size=8',
  ],
]);

const XDP = '.section "xdp"\n.program test\nr2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\n';
const checked = (body: string): string => `${XDP}r4 = r2\nr4 += 14\nif r4 > r3 goto out\n${body}\nout:\nr0 = 2\nexit`;

describeRules('packets', [
  ['unchecked', `${XDP}r0 = *(u8 *)(r2 +0)\nr0 = 2\nexit`, 'R2 offset is outside of the packet'],
  ['checked', checked('w0 = *(u16 *)(r2 +12)'), 'accept'],
  ['one byte behind', checked('w0 = *(u16 *)(r2 +13)'), 'R2 offset is outside of the packet'],
  ['written', checked('*(u8 *)(r2 +0) = 1'), 'accept'],
  [
    'written by a program that only reads',
    '.section "socket"\n.program test\nr2 = *(u32 *)(r1 +76)\nr0 = 0\nexit',
    'invalid bpf_context access off=76 size=4',
  ],
  [
    'variable offset',
    checked('w5 = *(u8 *)(r2 +0)\nr5 &= 15\nr2 += r5\nr4 = r2\nr4 += 4\nif r4 > r3 goto out\nw0 = *(u32 *)(r2 +0)'),
    'accept',
  ],
  [
    'variable offset unchecked',
    checked('w5 = *(u8 *)(r2 +0)\nr2 += r5\nw0 = *(u8 *)(r2 +0)'),
    'R2 offset is outside of the packet',
  ],
  ['the end itself', `${XDP}r0 = *(u8 *)(r3 +0)\nexit`, "R3 invalid mem access 'pkt_end'"],
  ['arithmetic on the end', `${XDP}r3 += 1\nr0 = 2\nexit`, 'R3 pointer arithmetic on pkt_end prohibited'],
]);

const OTHER: readonly Rule[] = [
  ['a number as pointer', 'r2 = 16\nr0 = *(u64 *)(r2 +0)\nexit', "R2 invalid mem access 'scalar'"],
  [
    'a map itself is read as its struct',
    `.section "kprobe/x"\n${MAP}.program test\nr1 = values ll\nw0 = *(u32 *)(r1 +24)\nr0 = 0\nexit`,
    'accept',
  ],
  [
    'and never written',
    `.section "kprobe/x"\n${MAP}.program test\nr1 = values ll\n*(u32 *)(r1 +24) = 0\nr0 = 0\nexit`,
    'only read from bpf_array is supported',
  ],
  [
    'a kernel struct is never written',
    '.section "tp_btf/sched_switch"\n.program test\nr2 = *(u64 *)(r1 +8)\n*(u32 *)(r2 +1264) = 0\nr0 = 0\nexit',
    'only read is supported',
  ],
  [
    'a ring buffer record has an unsigned size',
    '.section "kprobe/x"\n.map ring ringbuf max_entries=4096\n.program test\nr1 = ring ll\nr2 = -58\nr3 = 0\ncall bpf_ringbuf_reserve\nif r0 == 0 goto out\n*(u8 *)(r0 +100) = 1\nr1 = r0\nr2 = 0\ncall bpf_ringbuf_discard\nout:\nr0 = 0\nexit',
    'accept',
  ],
  [
    'a slice of a dynptr has an unsigned size',
    '.section "tc"\n.map ring ringbuf max_entries=4096\n.program test\nr6 = r10\nr6 += -16\nr2 = 0\nr3 = r6\ncall bpf_dynptr_from_skb\nr1 = r6\nr2 = 0\nr3 = 0\nw4 = -10\ncall bpf_dynptr_slice\nif r0 == 0 goto out\nr0 = *(u8 *)(r0 +100)\nout:\nr0 = 0\nexit',
    'accept',
  ],
  [
    'offsets below 0 of a tracepoint are compared unsigned',
    '.section "tracepoint/sched/sched_switch"\n.program test\nr0 = *(u64 *)(r1 -16)\nr0 = 0\nexit',
    'accept',
  ],
  [
    'the hidden pointer of a tracepoint',
    '.section "tracepoint/sched/sched_switch"\n.program test\nr0 = *(u64 *)(r1 +0)\nr0 = 0\nexit',
    'invalid bpf_context access off=0 size=8',
  ],
  [
    'a context slot behind the arguments of a tracepoint',
    '.section "tp_btf/task_newtask"\n.program test\nr0 = *(u64 *)(r1 +24)\nr0 = 0\nexit',
    'invalid bpf_context access off=24 size=8',
  ],
  [
    'the first slot behind them',
    '.section "tp_btf/task_newtask"\n.program test\nr0 = *(u64 *)(r1 +16)\nr0 = 0\nexit',
    'invalid bpf_context access off=16 size=8',
  ],
];

/** Linux 6.18 compares a negative offset with unsigned limits (tp_prog_is_valid_access), and reads before the context. */
describeRules('other memory', OTHER, {
  'offsets below 0 of a tracepoint are compared unsigned':
    'unmapped at insn 0: read of 8 bytes at 0xfffffffffffffff0: no memory has this address',
});
