import { describeRules } from '../rules.ts';

const RANDOM = 'call bpf_get_prandom_u32\n';

describeRules('the stack', [
  ['a spilled pointer comes back', '*(u64 *)(r10 -8) = r1\nr2 = *(u64 *)(r10 -8)\nr0 = *(u32 *)(r2 +0)\nexit', 'accept'],
  [
    'a spilled number comes back with its bounds',
    `${RANDOM}r0 &= 7\n*(u64 *)(r10 -8) = r0\nr1 = *(u64 *)(r10 -8)\nif r1 < 8 goto +1\nr0 = r9\nexit`,
    'accept',
  ],
  ['a narrow spill and fill', `${RANDOM}*(u32 *)(r10 -8) = r0\nw1 = *(u32 *)(r10 -8)\nr0 = r1\nexit`, 'accept'],
  ['half of a spilled pointer', '*(u64 *)(r10 -8) = r1\nr0 = *(u32 *)(r10 -8)\nexit', 'invalid size of register fill'],
  ['spilling part of a pointer', '*(u32 *)(r10 -8) = r1\nr0 = 0\nexit', 'invalid size of register spill'],
  ['zeros stay zeros', '*(u64 *)(r10 -8) = 0\nw0 = *(u8 *)(r10 -3)\nif r0 == 0 goto +1\nr0 = r9\nexit', 'accept'],
  ['other bytes are unknown', '*(u32 *)(r10 -8) = 7\nr0 = *(u64 *)(r10 -8)\nexit', 'accept'],
  ['unwritten stack may be read with privilege', 'r0 = *(u64 *)(r10 -8)\nexit', 'accept'],
  [
    'unwritten stack without privilege',
    'r0 = *(u64 *)(r10 -8)\nexit',
    'invalid read from stack R10 off=-8 size=8',
    'unprivileged',
  ],
  ['below the deepest byte', '*(u64 *)(r10 -520) = 1\nr0 = 0\nexit', 'invalid write to stack R10 off=-520 size=8'],
  ['at the frame pointer', '*(u64 *)(r10 +0) = 1\nr0 = 0\nexit', 'invalid write to stack R10 off=0 size=8'],
  ['the deepest slot', '*(u64 *)(r10 -512) = 1\nr0 = 0\nexit', 'accept'],
  ['misaligned store', '*(u64 *)(r10 -9) = 1\nr0 = 0\nexit', 'misaligned stack access off 0+0+-9 size 8'],
  [
    'variable offset inside',
    `${RANDOM}r0 &= 8\nr2 = r10\nr2 += -16\nr2 += r0\n*(u64 *)(r10 -16) = 1\n*(u64 *)(r10 -8) = 1\n*(u8 *)(r2 +0) = 2\nr0 = *(u8 *)(r2 +0)\nexit`,
    'accept',
  ],
  [
    'unbounded variable offset',
    `${RANDOM}r2 = r10\nr2 += r0\n*(u8 *)(r2 +0) = 2\nr0 = 0\nexit`,
    'math between fp pointer and register with unbounded min value is not allowed',
  ],
  [
    'variable offset beyond the frame',
    `${RANDOM}r0 &= 15\nr2 = r10\nr2 += -8\nr2 += r0\n*(u8 *)(r2 +0) = 2\nr0 = 0\nexit`,
    'invalid variable-offset write to stack R2 var_off=(0x0; 0xf) off=-8 size=1',
  ],
  [
    'overwriting part of a spilled pointer forgets it',
    '*(u64 *)(r10 -8) = r1\n*(u8 *)(r10 -8) = 0\nr0 = *(u64 *)(r10 -8)\nexit',
    'accept',
  ],
  [
    'overwriting part of one without privilege',
    '*(u64 *)(r10 -8) = r1\n*(u8 *)(r10 -8) = 0\nr0 = 0\nexit',
    'attempt to corrupt spilled pointer on stack',
    'unprivileged',
  ],
]);
