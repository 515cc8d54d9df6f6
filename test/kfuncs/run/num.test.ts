import { describe, expect, it } from 'vitest';
import { assemble } from '../../../src/asm/assemble.ts';
import { overlaidBtf } from '../../../src/btf/overlay.ts';
import type { Kfunc } from '../../../src/contracts/kfunc.ts';
import type { Profile } from '../../../src/contracts/profile.ts';
import { verify } from '../../../src/verifier/verify.ts';
import { profileWith, runKernelText, verdictOf } from '../../kernel/program.ts';

const INT_MIN = -(2 ** 31);
const INT_MAX = 2 ** 31 - 1;
const [EINVAL, E2BIG] = [-22n, -7n];

const HEADER = '.license "GPL"\n.section "raw_tp/sys_enter"\n.program p\n';
const NEW = (start: number, end: number): string => `r1 = r10; r1 += -8; w2 = ${start}; w3 = ${end}; call bpf_iter_num_new`;
const NEXT = 'r1 = r10; r1 += -8; call bpf_iter_num_next';
const DESTROY = 'r1 = r10; r1 += -8; call bpf_iter_num_destroy';

/** Sums the elements in 64 bits, or answers what `new` did. */
const sum = (start: number, end: number): bigint =>
  runKernelText(`${HEADER}
    ${NEW(start, end)}
    r6 = 0
    next: ${NEXT}
    if r0 == 0 goto done
    r1 = *(s32 *)(r0 + 0)
    r6 += r1
    goto next
    done: ${DESTROY}
    r0 = r6
    exit`).signed;

/** The iterator of the kernel's test module, and the kfunc that takes one as its second argument. */
function withTestModule(profile: Profile): Profile {
  const declarations: readonly (readonly [declaration: string, flags: Kfunc['flags']])[] = [
    ['int bpf_iter_testmod_seq_new(struct bpf_iter_testmod_seq *it, s64 value, int cnt)', ['KF_ITER_NEW']],
    ['s64 *bpf_iter_testmod_seq_next(struct bpf_iter_testmod_seq *it)', ['KF_ITER_NEXT', 'KF_RET_NULL']],
    ['void bpf_iter_testmod_seq_destroy(struct bpf_iter_testmod_seq *it)', ['KF_ITER_DESTROY']],
    ['s64 bpf_iter_testmod_seq_value(int val, struct bpf_iter_testmod_seq *it__iter)', []],
  ];
  const struct = 'struct bpf_iter_testmod_seq { s64 value; int cnt; };';
  const kfuncs = new Map(profile.kfuncs);
  for (const [declaration, flags] of declarations) {
    const name = /(\w+)\(/.exec(declaration)![1]!;
    kfuncs.set(name, { ...kfuncs.get('bpf_iter_num_new')!, name, declaration, flags, roles: [], summary: 'of the test module' });
  }
  const text = [struct, ...declarations.map(([declaration]) => `${declaration};`)].join('\n');
  return { ...profile, kfuncs, btf: overlaidBtf(profile.btf, text) };
}

const created = (start: number, end: number): bigint =>
  BigInt.asIntN(32, runKernelText(`${HEADER}${NEW(start, end)}\nr6 = r0\n${NEXT}\nr7 = r0\n${DESTROY}\nr0 = r6\nexit`).result);

describe('C.7 num: numbers', () => {
  it.each([
    [0, 10, 45n],
    [-10, 0, -55n],
    [-3, 3, -3n],
    [INT_MIN, INT_MIN + 2, BigInt(INT_MIN) * 2n + 1n],
    [INT_MAX - 2, INT_MAX, BigInt(INT_MAX) * 2n - 3n],
    [0, 0, 0n],
    [-1, -1, 0n],
    [INT_MIN, INT_MIN, 0n],
    [INT_MAX, INT_MAX, 0n],
  ])('from %i to %i', (start, end, expected) => {
    expect(sum(start, end)).toBe(expected);
  });

  it.each([
    [1, 0, EINVAL],
    [0, 8388608, 0n],
    [-1, 8388608, E2BIG],
    [INT_MIN, INT_MAX, E2BIG],
  ])('a range from %i to %i is answered', (start, end, expected) => {
    expect(created(start, end)).toBe(expected);
  });

  it.each([
    ['exhaustion', NEW(0, 1), 2],
    ['a failed new', NEW(1, 0), 1],
  ])('there are none after %s', (_when, begin, calls) => {
    const more = `${NEXT}\nr6 = 0\nif r0 == 0 goto +1\nr6 = 1\n`.repeat(calls);
    expect(runKernelText(`${HEADER}${begin}\n${more}\n${DESTROY}\nr0 = r6\nexit`).result).toBe(0n);
  });
});

describe('the verifier wants an iterator', () => {
  it.each([
    ['I.5 #1: destroyed', `${NEW(0, 1)}\nr0 = 0\nexit`, 'reject: BPF_EXIT instruction in main prog would lead to reference leak'],
    ['I.5 #2: made before it is destroyed', `${DESTROY}\nr0 = 0\nexit`, 'reject: expected an initialized iter_num as arg #0'],
    ['I.5 #2: made before it goes on', `${NEXT}\nr0 = 0\nexit`, 'reject: expected an initialized iter_num as arg #0'],
    [
      'I.5 #2: destroyed once',
      `${NEW(0, 1)}\n${DESTROY}\n${DESTROY}\nr0 = 0\nexit`,
      'reject: expected an initialized iter_num as arg #0',
    ],
    [
      'I.5 #2: alive when it goes on',
      `${NEW(0, 1)}\n${DESTROY}\n${NEXT}\nr0 = 0\nexit`,
      'reject: expected an initialized iter_num as arg #0',
    ],
    ['I.5 #3: made once', `${NEW(0, 1)}\n${NEW(0, 1)}\nr0 = 0\nexit`, 'reject: expected uninitialized iter_num as arg #0'],
    [
      'I.5 #4: left alone',
      `${NEW(0, 1)}\nr1 = 0\n*(u64 *)(r10 - 8) = r1\n${DESTROY}\nr0 = 0\nexit`,
      'reject: expected an initialized iter_num as arg #0',
    ],
    [
      'I.5 #4: left alone even when it leaks',
      `${NEW(0, 1)}\nr1 = 0\n*(u64 *)(r10 - 8) = r1\nr0 = 0\nexit`,
      'reject: BPF_EXIT instruction in main prog would lead to reference leak',
    ],
    [
      'I.5 #5: not written to by a helper',
      `${NEW(0, 1)}\nr1 = r10; r1 += -8; w2 = 1; call bpf_get_current_comm\n${DESTROY}\nr0 = 0\nexit`,
      'reject: expected an initialized iter_num as arg #0',
    ],
    [
      'I.5 #6: not looked into',
      `${NEW(0, 1)}\nr0 = *(u64 *)(r10 - 8)\n${DESTROY}\nr0 = 0\nexit`,
      'reject: invalid read from stack off -8+0 size 8',
    ],
    [
      'I.5 #7: made in the function that destroys it',
      'call f\nr0 = 0\nexit\n.func f\n' + NEW(0, 1) + '\nr0 = 0\nexit',
      'reject: BPF_EXIT instruction in main prog would lead to reference leak',
    ],
    ['I.5 #8: whose place may be used again', `${NEW(0, 1)}\n${DESTROY}\n${NEW(0, 1)}\n${DESTROY}\nr0 = 0\nexit`, 'accept'],
    [
      'I.5 #12: whose elements can be added up without bound',
      `${NEW(0, 100)}\nr6 = 0\nnext: ${NEXT}\nif r0 == 0 goto done\nr1 = *(s32 *)(r0 + 0)\nr6 += r1\ngoto next\ndone: ${DESTROY}\nr0 = r6\nexit`,
      'accept',
    ],
    [
      'I.5 #13: whose loop has no endless loop in it',
      `${NEW(0, 100)}\nnext: ${NEXT}\nif r0 == 0 goto done\nstuck: goto stuck\ndone: ${DESTROY}\nr0 = 0\nexit`,
      'reject: infinite loop detected at insn 9',
    ],
    [
      'I.5 #13: nor one that turns on what is unknown and stays so',
      `call bpf_get_prandom_u32\nr7 = r0\ncall bpf_get_prandom_u32\nr8 = r0\n${NEW(0, 10)}\nnext: ${NEXT}\nif r0 == 0 goto done\nstuck: if r7 == r8 goto next\ngoto stuck\ndone: ${DESTROY}\nr0 = 0\nexit`,
      'reject: infinite loop detected at insn ',
    ],
  ])('%s', (_rule, text, expected) => {
    expect(verdictOf(HEADER + text)).toContain(expected);
  });

  it('I.5 #10: in a sleepable program only within an RCU section, when it walks what RCU protects', () => {
    const text = (before: string, between: string): string => `
      .license "GPL"
      .section "lsm.s/file_open"
      .program p
      ${before}
      r1 = r10; r1 += -24; r2 = 0; w3 = 0; call bpf_iter_task_new
      ${between}
      r1 = r10; r1 += -24; call bpf_iter_task_next
      r1 = r10; r1 += -24; call bpf_iter_task_destroy
      r0 = 0
      exit`;
    expect(verdictOf(text('', ''))).toContain('kernel func bpf_iter_task_new requires RCU critical section protection');
    const lock = 'call bpf_rcu_read_lock';
    expect(verdictOf(text(lock, 'call bpf_rcu_read_unlock'))).toContain('expected an RCU CS when using bpf_iter_task_next');
    expect(verdictOf(text(lock, '').replace('r0 = 0\n', 'call bpf_rcu_read_unlock\nr0 = 0\n'))).toBe('accept');
  });

  it('I.5 #10: and so for control groups', () => {
    const text = (before: string, between: string): string => `
      .license "GPL"
      .section "lsm.s/file_open"
      .program p
      r1 = 1 ll; call bpf_cgroup_from_id; if r0 == 0 goto out; r6 = r0
      ${before}
      r1 = r10; r1 += -24; r2 = r6; r2 += offsetof(cgroup, self); w3 = 3; call bpf_iter_css_new
      ${between}
      r1 = r10; r1 += -24; call bpf_iter_css_next
      r1 = r10; r1 += -24; call bpf_iter_css_destroy
      r1 = r6; call bpf_cgroup_release
      out: r0 = 0
      exit`;
    expect(verdictOf(text('', ''))).toContain('kernel func bpf_iter_css_new requires RCU critical section protection');
    expect(verdictOf(text('call bpf_rcu_read_lock', 'call bpf_rcu_read_unlock'))).toContain(
      'expected an RCU CS when using bpf_iter_css_next',
    );
  });

  it('I.5 #9: begun before another kfunc looks at it', () => {
    const profile = withTestModule(profileWith());
    const text = `${HEADER}
      w1 = 0; r2 = r10; r2 += -16; call bpf_iter_testmod_seq_value
      r0 = 0; exit`;
    const { verdict, message } = verify(assemble(text, 'value.bpf.s', { profile }).programs[0]!, profile);
    expect([verdict, message]).toEqual(['reject', 'expected an initialized iter_testmod_seq as arg #1']);
  });

  it('I.5 #11: over the tasks of a cgroup only in programs of some types', () => {
    const text = `.license "GPL"
      .section "tp_btf/sched_switch"
      .program p
      r1 = 1 ll; call bpf_cgroup_from_id; if r0 == 0 goto out; r6 = r0
      r1 = r10; r1 += -8; r2 = r6; w3 = 0; call bpf_iter_css_task_new
      r1 = r10; r1 += -8; call bpf_iter_css_task_destroy
      r1 = r6; call bpf_cgroup_release
      out: r0 = 0; exit`;
    expect(verdictOf(text)).toContain('css_task_iter is only allowed in bpf_lsm, bpf_iter and sleepable progs');
  });
});
