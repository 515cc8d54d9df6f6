import { describeRules } from '../rules.ts';

const RANDOM = 'call bpf_get_prandom_u32\n';

describeRules('conditional jumps', [
  ['a decided comparison is followed alone', 'r0 = 3\nif r0 == 3 goto +1\nr0 = r9\nexit', 'accept'],
  ['both sides of an open comparison', `${RANDOM}if r0 > 7 goto +1\nr0 = r9\nexit`, 'R9 !read_ok'],
  ['unsigned bounds', `${RANDOM}if r0 > 7 goto +2\nif r0 <= 7 goto +1\nr0 = r9\nexit`, 'accept'],
  ['signed bounds', `${RANDOM}if r0 s< -5 goto +2\nif r0 s>= -5 goto +1\nr0 = r9\nexit`, 'accept'],
  ['32-bit bounds', `${RANDOM}if w0 > 7 goto +2\nif w0 < 8 goto +1\nr0 = r9\nexit`, 'accept'],
  ['bits by jset', `${RANDOM}if r0 & 8 goto +2\nif r0 & 8 goto +1\ngoto +1\nr0 = r9\nr0 = 0\nexit`, 'R9 !read_ok'],
  ['equality gives the value', `${RANDOM}if r0 != 5 goto +2\nif r0 == 5 goto +1\nr0 = r9\nexit`, 'accept'],
  ['registers are refined together', `${RANDOM}r1 = r0\nif r0 > 7 goto +2\nif r1 <= 7 goto +1\nr0 = r9\nexit`, 'accept'],
  ['a register compared with itself', `${RANDOM}if r0 == r0 goto +1\nr0 = r9\nexit`, 'R9 !read_ok'],
  ['pointer with constant', 'r0 = 0\nif r1 == 5 goto +0\nexit', 'accept'],
  [
    'pointer comparison without privilege',
    'r0 = 0\nif r1 == r10 goto +0\nexit',
    'R10 pointer comparison prohibited',
    'unprivileged',
  ],
  ['may_goto ends a loop', 'r0 = 0\nmay_goto +2\nr0 += 1\ngoto -3\nexit', 'accept'],
  ['gotol reaches far', 'r0 = 0\ngotol +1\nexit\ngotol -2', 'accept'],
  [
    'unused source register field',
    '.raw 0x00000000000000b7\n.raw 0x0000000000002115\nexit',
    'BPF_JMP/JMP32 uses reserved fields',
  ],
]);

const MAP = '.map values array key_size=4 value_size=16 max_entries=1\n';
const LOOKUP = '*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\nr1 = values ll\ncall bpf_map_lookup_elem\n';
const PACKET = '.section "xdp"\n.program test\nr2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\n';
const socket = (body: string): string => `.section "socket"\n${MAP}.program test\n${body}`;

describeRules('comparisons of pointers', [
  [
    'without a check for NULL',
    socket(`*(u32 *)(r10 -4) = 1\nr2 = r10\nr2 += -4\nr1 = values ll\ncall bpf_map_lookup_elem\nr0 = *(u64 *)(r0 +0)\nexit`),
    "R0 invalid mem access 'map_value_or_null'",
  ],
  ['a constant key in bounds is found', socket(`${LOOKUP}r0 = *(u64 *)(r0 +0)\nexit`), 'accept'],
  ['checked for NULL', socket(`${LOOKUP}if r0 == 0 goto +1\nr0 = *(u64 *)(r0 +0)\nexit`), 'accept'],
  ['packet data below its end', `${PACKET}r4 = r2\nr4 += 8\nif r4 > r3 goto +1\nr0 = *(u64 *)(r2 +0)\nr0 = 2\nexit`, 'accept'],
  [
    'strictly below reaches one byte further',
    `${PACKET}r4 = r2\nr4 += 7\nif r4 >= r3 goto +1\nr0 = *(u64 *)(r2 +0)\nr0 = 2\nexit`,
    'accept',
  ],
  [
    'one byte too far',
    `${PACKET}r4 = r2\nr4 += 7\nif r4 > r3 goto +1\nr0 = *(u64 *)(r2 +0)\nr0 = 2\nexit`,
    'R2 offset is outside of the packet',
  ],
  ['the end on the left', `${PACKET}r4 = r2\nr4 += 8\nif r3 < r4 goto +1\nr0 = *(u64 *)(r2 +0)\nr0 = 2\nexit`, 'accept'],
  [
    'beyond the end is decided',
    `${PACKET}r4 = r2\nr4 += 8\nif r4 > r3 goto +2\nr0 = 2\nexit\nif r4 > r3 goto +1\nr0 = r9\nr0 = 2\nexit`,
    'accept',
  ],
  [
    'a register that contradicts itself is put right once',
    socket(`call bpf_get_prandom_u32\nr0 &= 1\nif w0 <= w0 goto +0\nexit`),
    'accept',
  ],
]);
