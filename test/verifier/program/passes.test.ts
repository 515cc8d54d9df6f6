import { describeRules } from '../rules.ts';

describeRules('control flow', [
  ['unreachable code', 'r0 = 0\nexit\nr0 = 1\nexit', 'unreachable insn 2'],
  ['falling off the end', 'r0 = 0', 'last insn is not an exit or jmp'],
  ['jump out of the program', 'r0 = 0\ngoto +5\nexit', 'jump out of range from insn 1 to 7'],
  ['jump into a 64-bit constant', 'r0 = 0\nif r0 == 0 goto +1\nr1 = 5 ll\nexit', 'jump into the middle of ldimm64 insn 2'],
  ['loops need privilege', 'r0 = 0\nr0 += 1\nif r0 < 4 goto -2\nexit', 'back-edge from insn 2 to 1', 'unprivileged'],
  ['a bounded loop', 'r0 = 0\nr0 += 1\nif r0 < 4 goto -2\nexit', 'accept'],
  ['an endless loop', 'r0 = 0\ngoto -1\nexit', 'unreachable insn 2'],
  [
    'a loop that makes no progress',
    'call bpf_get_prandom_u32\nif r0 == 7 goto +1\ngoto -2\nexit',
    'infinite loop detected at insn 1',
  ],
]);

const FUNCS = (main: string, more: string): string =>
  `.section "socket"\n.program "int test(struct __sk_buff *skb)"\n${main}\n${more}`;

describeRules('functions', [
  ['a static function', FUNCS('r1 = 2\ncall twice\nexit', '.func "static int twice(int x)"\nr0 = r1\nr0 += r1\nexit'), 'accept'],
  [
    'its arguments are gone afterwards',
    FUNCS('r1 = 2\ncall twice\nr0 = r1\nexit', '.func "static int twice(int x)"\nr0 = r1\nexit'),
    'R1 !read_ok',
  ],
  ['r6 survives', FUNCS('r6 = 2\nr1 = 1\ncall twice\nr0 = r6\nexit', '.func "static int twice(int x)"\nr0 = r1\nexit'), 'accept'],
  [
    "r6 of the caller is not the callee's",
    FUNCS('r6 = 2\nr1 = 1\ncall twice\nexit', '.func "static int twice(int x)"\nr0 = r6\nexit'),
    'R6 !read_ok',
  ],
  ['no value returned', FUNCS('r1 = 2\ncall twice\nexit', '.func "static int twice(int x)"\nexit'), 'R0 !read_ok'],
  [
    'a global function is verified for any argument',
    FUNCS('r1 = 2\ncall twice\nexit', '.func "int twice(int x)"\nr0 = r1\nexit'),
    'accept',
  ],
  [
    'too much stack together',
    FUNCS(
      '*(u64 *)(r10 -400) = 1\nr1 = 2\ncall twice\nexit',
      '.func "static int twice(int x)"\n*(u64 *)(r10 -200) = 1\nr0 = 0\nexit',
    ),
    'combined stack size of 2 calls is 608. Too large',
  ],
  [
    'recursion',
    FUNCS('r1 = 2\ncall twice\nexit', '.func "static int twice(int x)"\ncall twice\nexit'),
    'the call stack of 9 frames is too deep',
  ],
]);

describeRules('constants and opcodes', [
  ['an unknown opcode', '.raw 0x00000000000000ff\nexit', 'unknown opcode ff'],
  ['half of a 64-bit constant', 'r0 = 0\n.raw 0x0000000100000018', 'last insn is not an exit or jmp'],
  ['reserved fields of a load', 'r0 = 0\n.raw 0x000000010000a161\nexit', 'BPF_LDX uses reserved fields'],
  ['reserved fields of a move', 'r0 = 0\n.raw 0x00000000000520b7\nexit', 'BPF_MOV uses reserved fields'],
  ['reserved fields of exit', 'r0 = 0\n.raw 0x0000000100000095', 'BPF_EXIT uses reserved fields'],
  [
    'a kernel symbol of a module',
    '.raw 0x0000000100003018\n.raw 0x7fffffff00000000\nr0 = 0\nexit',
    'invalid module BTF object FD specified.',
  ],
  [
    'a kfunc of a module without descriptors of modules',
    '.raw 0x0000fa1000012085\nr0 = 0\nexit',
    'failed to find BTF for kernel function',
  ],
  ['a kfunc of a module before the first', '.raw 0x0000fa10ffff2085\nr0 = 0\nexit', 'failed to find BTF for kernel function'],
]);
