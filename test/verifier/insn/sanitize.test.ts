import { expect, test } from 'vitest';
import { describeRules, judge, type Rule } from '../rules.ts';

/** Loaders without CAP_PERFMON: what would leak an address, or could be read or written by speculation, is refused or guarded. */

const array = `.section "socket"
.map numbers array key_size=4 value_size=48 max_entries=1
.map other array key_size=4 value_size=16 max_entries=1
.program test
`;

/** r0 is the value of an array with 48 bytes; r6 a number from the packet. */
const withValue = (body: string): string => `${array}r6 = *(u32 *)(r1 + 0)
*(u32 *)(r10 - 4) = 0
r2 = r10
r2 += -4
r1 = numbers ll
call bpf_map_lookup_elem
if r0 == 0 goto out
${body}
out:
r0 = 0
exit`;

const bpf = (rules: readonly (readonly [rule: string, program: string, says: string])[]): Rule[] =>
  rules.map(([rule, program, says]) => [rule, program, says, 'bpf']);

const PROHIBITED = 'pointer arithmetic with it prohibited for !root';

describeRules(
  'pointer arithmetic that speculation could follow',
  bpf([
    ['a masked number', withValue('r6 &= 15\nr0 += r6\nr1 = *(u8 *)(r0 + 0)'), 'accept'],
    [
      'a number of either sign',
      withValue('r6 <<= 32\nr6 s>>= 32\nif r6 s> 5 goto out\nif r6 s< -5 goto out\nr0 += 24\nr0 += r6'),
      `R6 has unknown scalar with mixed signed bounds, ${PROHIBITED}`,
    ],
    [
      'two paths with different limits',
      withValue('if r6 > 3 goto more\nr6 &= 1\ngoto add\nmore:\nr6 &= 7\nadd:\nr0 += r6\nr1 = *(u8 *)(r0 + 0)'),
      `R0 tried to add from different maps, paths or scalars, ${PROHIBITED}`,
    ],
    [
      'two paths with maps of different sizes',
      `${array}r6 = *(u32 *)(r1 + 0)
*(u32 *)(r10 - 4) = 0
r2 = r10
r2 += -4
r1 = numbers ll
if r6 != 0 goto look
r1 = other ll
look:
call bpf_map_lookup_elem
if r0 == 0 goto out
r6 &= 7
r0 += r6
r1 = *(u8 *)(r0 + 0)
out:
r0 = 0
exit`,
      `R0 tried to add from different maps, paths or scalars, ${PROHIBITED}`,
    ],
    [
      'numbers on one path and a pointer on the other',
      withValue('r7 = 5\nif r6 > 3 goto add\nr7 = r0\nadd:\nr6 &= 7\nr7 += r6'),
      `R7 tried to add from different maps, paths or scalars, ${PROHIBITED}`,
    ],
    [
      'behind the object',
      withValue('r0 += 48\nr6 &= 7\nr0 -= r6\nr1 = *(u8 *)(r0 + 0)'),
      'R0 pointer arithmetic of map value goes out of range, prohibited for !root',
    ],
    ['before the object', withValue('r0 += -1'), 'R0 pointer arithmetic of map value goes out of range, prohibited for !root'],
    [
      'a type of pointer that cannot be masked',
      'r6 = *(u32 *)(r1 + 0)\nr6 &= 7\nr1 += r6\nr0 = 0\nexit',
      `R1 has pointer with unsupported alu operation, ${PROHIBITED}`,
    ],
    [
      'an unknown number added to the stack pointer',
      'r6 = *(u32 *)(r1 + 0)\nr6 &= 7\nr2 = r10\nr2 += -64\nr2 += r6\nr0 = 0\nexit',
      'R2 variable stack access prohibited for !root, var_off=(0x0; 0x7) off=-64',
    ],
    [
      'beyond the stack',
      'r2 = r10\nr2 += -513\nr0 = 0\nexit',
      'R2 stack pointer arithmetic goes out of range, prohibited for !root; off=-513',
    ],
    ['32-bit arithmetic', withValue('w0 -= w6'), 'R0 32-bit pointer arithmetic prohibited'],
    ['a difference of pointers', withValue('r1 = r0\nr1 -= r0'), 'R1 pointer -= pointer prohibited'],
    ['negation', withValue('r0 = -r0'), 'R0 pointer arithmetic prohibited'],
  ]),
);

describeRules(
  'addresses do not leak',
  bpf([
    ['as a result', 'r0 = r10\nexit', 'R0 leaks addr as return value'],
    ['by comparison', 'if r1 == 5 goto +0\nr0 = 0\nexit', 'R1 pointer comparison prohibited'],
    ['by comparison with another pointer', 'r2 = r10\nif r1 == r2 goto +0\nr0 = 0\nexit', 'R2 pointer comparison prohibited'],
    ['into a map', withValue('*(u64 *)(r0 + 0) = r10'), 'R10 leaks addr into map'],
    ['into the context', '*(u64 *)(r1 + 48) = r10\nr0 = 0\nexit', 'R10 leaks addr into ctx'],
    ['by an atomic operation', withValue('r1 = r10\nlock *(u64 *)(r0 + 0) += r1'), 'R1 leaks addr into mem'],
    ['by half of it', '*(u64 *)(r10 - 8) = r1\nr0 = *(u32 *)(r10 - 8)\nexit', 'invalid size of register fill'],
    ['by a narrow move', 'w0 = w1\nexit', 'R1 partial copy of pointer'],
    [
      'by what a helper reads',
      `${array}*(u64 *)(r10 - 8) = r1
*(u32 *)(r10 - 12) = 0
r1 = numbers ll
r2 = r10
r2 += -12
r3 = r10
r3 += -8
r4 = 0
call bpf_map_update_elem
r0 = 0
exit`,
      'invalid read from stack R3 off=-8 size=48',
    ],
  ]),
);

describeRules(
  'stack of the unprivileged',
  bpf([
    ['bytes that were never written', 'r0 = *(u64 *)(r10 - 8)\nexit', 'invalid read from stack R10 off=-8 size=8'],
    [
      'part of a spilled pointer is overwritten',
      '*(u64 *)(r10 - 8) = r1\n*(u8 *)(r10 - 8) = 0\nr0 = 0\nexit',
      'attempt to corrupt spilled pointer on stack',
    ],
    [
      'a read at an unknown offset',
      'r6 = *(u32 *)(r1 + 0)\nr6 &= 7\nr6 += -16\nr2 = r10\nr6 += r2\nr0 = *(u8 *)(r6 + 0)\nexit',
      'R6 variable stack access prohibited for !root, var_off=(0xfffffffffffffff0; 0x7) off=-16',
    ],
  ]),
);

describeRules(
  'paths that a processor may mispredict',
  bpf([
    ['the dead side of a branch is followed', 'r0 = 0\nif r0 != 0 goto +1\nexit\nr0 = 1\nexit', 'accept'],
    ['and ends where it would be refused', 'r0 = 0\nif r0 != 0 goto +1\nexit\nr10 = 1\nexit', 'accept'],
    ['an uninitialised register on it', 'r0 = 0\nif r0 != 0 goto +1\nexit\nr0 = r7\nexit', 'accept'],
    ['a load through a number on it', 'r0 = 0\nif r0 != 0 goto +1\nexit\nr0 = *(u64 *)(r0 + 0)\nexit', 'accept'],
    [
      'a store over a spilled pointer ends it, when it covers the low bytes',
      'r6 = *(u32 *)(r1 + 0)\n*(u32 *)(r10 - 52) = 0\n*(u32 *)(r10 - 56) = r6\nr0 = 0\nif r0 != 0 goto spec\nexit\nspec:\n*(u32 *)(r10 - 56) = r6\nr1 = 7\nexit',
      'accept',
    ],
    [
      'a store over bytes that were never written ends it',
      'r6 = *(u32 *)(r1 + 0)\n*(u8 *)(r10 - 52) = r6\n*(u8 *)(r10 - 51) = r6\n*(u16 *)(r10 - 50) = r6\nr0 = 0\nif r0 != 0 goto spec\nexit\nspec:\n*(u32 *)(r10 - 56) = r6\nr1 = 7\nexit',
      'accept',
    ],
    [
      'a store over misc bytes does not',
      'r6 = *(u32 *)(r1 + 0)\n*(u8 *)(r10 - 56) = r6\n*(u8 *)(r10 - 55) = r6\n*(u16 *)(r10 - 54) = r6\nr0 = 0\nif r0 != 0 goto spec\nexit\nspec:\n*(u32 *)(r10 - 56) = r6\nr1 = 7\nexit',
      'accept',
    ],
    [
      'the masked number is 0 there, and the pointer has lost its 32-bit bounds',
      withValue('r6 &= 1\nr0 += r6\nr7 = r0\nr6 = *(u8 *)(r0 + 0)\nr6 &= 7\nr0 += r6\nr1 = *(u8 *)(r0 + 0)'),
      'accept',
    ],
    ['the number is replaced by the pointer there', withValue('r6 &= 7\nr6 += r0\nr1 = *(u8 *)(r6 + 0)'), 'accept'],
  ]),
);

const BPF_ALONE = { bpf: true, perfmon: false, netAdmin: false, sysAdmin: false };

/** The path behind the store is there to be seen only where no barrier ends it. */
const storeInDeadCode = (before: string): string =>
  `r6 = *(u32 *)(r1 + 0)\n${before}\nr0 = 0\nif r0 != 0 goto spec\nexit\nspec:\n*(u32 *)(r10 - 56) = r6\nr1 = 7\nexit`;

test.each([
  ['misc bytes', '*(u8 *)(r10 - 56) = r6\n*(u8 *)(r10 - 55) = r6\n*(u16 *)(r10 - 54) = r6', true],
  ['misc bytes in the other half of the slot', '*(u8 *)(r10 - 52) = r6\n*(u8 *)(r10 - 51) = r6\n*(u16 *)(r10 - 50) = r6', false],
  ['a spilled number', '*(u32 *)(r10 - 56) = r6', false],
])('the path behind a store over %s', (_, before, goesOn) => {
  expect(judge(storeInDeadCode(before), BPF_ALONE).log.includes('R1=7')).toBe(goesOn);
});

test('a pointer that was not moved, as speculation may have it, has no 32-bit bounds', () => {
  const twice = 'r6 &= 1\nr0 += r6\nr6 = *(u8 *)(r0 + 0)\nr6 &= 7\nr0 += r6\nr1 = *(u8 *)(r0 + 0)';
  expect(judge(withValue(twice), BPF_ALONE).log).toMatch(
    /\(speculative execution\): R0=map_value\(map=numbers,ks=4,vs=48,smin=0,smax=umax=1,var_off=\(0x0; 0x1\)\)/,
  );
});
