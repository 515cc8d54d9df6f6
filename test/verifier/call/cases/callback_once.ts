/** Reads a map value of 16 bytes at the number that the callback leaves at fp-8 of its caller. */
export const program = (turns: number, before: number, body: string): string => `
  .license "GPL"
  .map values array key_size=4 value_size=16 max_entries=1
  .section "raw_tp/sys_enter"
  .program "int prog(void *ctx)"
  *(u64 *)(r10 - 8) = ${before}
  r1 = ${turns}; r2 = turn ll; r3 = r10; r3 += -8; r4 = 0; call bpf_loop
  r6 = r0
  *(u32 *)(r10 - 12) = 0
  r1 = values ll; r2 = r10; r2 += -12; call bpf_map_lookup_elem
  if r0 == 0 goto out
  r1 = *(u64 *)(r10 - 8)
  r0 += r1
  r0 = *(u8 *)(r0 + 0)
  out: r0 = r6
  exit
  .func "static long turn(u64 index, long *ctx)"
  ${body}
  r0 = 0
  exit`;

const each = (before: string, body: string): string => `
  .license "GPL"
  .map values array key_size=4 value_size=16 max_entries=1
  .section "raw_tp/sys_enter"
  .program "int prog(void *ctx)"
  *(u64 *)(r10 - 8) = ${before}
  r1 = values ll; r2 = turn ll; r3 = r10; r3 += -8; r4 = 0; call bpf_for_each_map_elem
  *(u32 *)(r10 - 12) = 0
  r1 = values ll; r2 = r10; r2 += -12; call bpf_map_lookup_elem
  if r0 == 0 goto out
  r1 = *(u64 *)(r10 - 8)
  r0 += r1
  r0 = *(u8 *)(r0 + 0)
  out: r0 = 0
  exit
  .func "static long turn(void *map, int *key, void *value, long *ctx)"
  ${body}
  r0 = 0
  exit`;

const nested = (body: string): string => `
  .license "GPL"
  .map values array key_size=4 value_size=16 max_entries=1
  .section "raw_tp/sys_enter"
  .program "int prog(void *ctx)"
  *(u64 *)(r10 - 8) = 32
  r1 = 3; r2 = outer ll; r3 = r10; r3 += -8; r4 = 0; call bpf_loop
  *(u32 *)(r10 - 12) = 0
  r1 = values ll; r2 = r10; r2 += -12; call bpf_map_lookup_elem
  if r0 == 0 goto out
  r1 = *(u64 *)(r10 - 8)
  r0 += r1
  r0 = *(u8 *)(r0 + 0)
  out: r0 = 0
  exit
  .func "static long outer(u64 index, long *ctx)"
  r3 = r2; r1 = 3; r2 = inner ll; r4 = 0; call bpf_loop
  r0 = 0
  exit
  .func "static long inner(u64 index, long *ctx)"
  ${body}
  r0 = 0
  exit`;

/** Of one program: what is said when callbacks are explored once, and when they are explored as loops. */
export type OnceCase = readonly [rule: string, text: string, once: string | RegExp, asLoop: string | RegExp];

export const ONCE: readonly OnceCase[] = [
  [
    'puts in order what no turn leaves out of bounds',
    program(100, 32, '*(u64 *)(r2 + 0) = 0'),
    'accept',
    /^reject: R0 min value is outside/,
  ],
  [
    'spoils in its second turn what the first leaves in bounds',
    program(100, 0, 'r3 = *(u64 *)(r2 + 0); r3 += 12; *(u64 *)(r2 + 0) = r3'),
    'accept',
    /^reject/,
  ],
  [
    'is looked into even where it does not run',
    program(0, 0, 'r3 = *(u64 *)(r1 + 0)'),
    /^reject: R1 invalid mem access 'scalar'/,
    'accept',
  ],
  [
    'may answer no more than 1',
    program(1, 0, 'call bpf_get_prandom_u32; if r0 == 0 goto +2; r0 = 2; exit'),
    /^reject: At callback return the register R0 has /,
    /^reject: At callback return the register R0 has /,
  ],
  ['is bounded by what it reads', program(1, 0, 'r0 = *(u64 *)(r10 - 8)'), 'accept', 'accept'],
  ['spoils what it writes', program(1, 0, '*(u64 *)(r2 + 0) = 64'), /^reject: R0 min value is outside/, /^reject/],
  ['walks a map that may be empty', each('32', '*(u64 *)(r4 + 0) = 8'), 'accept', /^reject: R0 min value is outside/],
  [
    'walks a map that may have two elements',
    each('0', 'r3 = *(u64 *)(r4 + 0); r3 += 12; *(u64 *)(r4 + 0) = r3'),
    'accept',
    /^reject/,
  ],
  ['spoils what it is to leave alone', each('0', '*(u64 *)(r4 + 0) = 64'), /^reject: R0 min value is outside/, /^reject/],
  ['runs within another', nested('*(u64 *)(r2 + 0) = 8'), 'accept', /^reject/],
  ['runs within another and spoils', nested('*(u64 *)(r2 + 0) = 80'), /^reject: R0 min value is outside/, /^reject/],
  [
    'leaves either of two numbers, both in bounds',
    program(1, 0, 'r6 = r2; call bpf_get_prandom_u32; r1 = 3; if r0 > 5 goto +1; r1 = 9; *(u64 *)(r6 + 0) = r1'),
    'accept',
    'accept',
  ],
  [
    'leaves a number that has bounds',
    program(1, 0, 'r6 = r2; call bpf_get_prandom_u32; r0 &= 15; *(u64 *)(r6 + 0) = r0'),
    'accept',
    'accept',
  ],
  [
    'leaves a number whose bounds are too wide',
    program(1, 0, 'r6 = r2; call bpf_get_prandom_u32; r0 &= 31; *(u64 *)(r6 + 0) = r0'),
    /^reject: R0 max value is outside/,
    /^reject/,
  ],
];
