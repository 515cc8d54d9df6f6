import { randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { assemble } from '../../src/asm/assemble.ts';
import { openBundledProfile } from '../../src/cli/bundled_kernel.ts';
import { Campaign, roundOf } from '../../src/fuzz/campaign.ts';
import { coverageOf, mergeReports } from '../../src/fuzz/campaign_report.ts';
import { checkProgram } from '../../src/fuzz/check.ts';
import { formatOf, refusalCoverage, shapeOf } from '../../src/fuzz/coverage.ts';
import { FuzzKernel } from '../../src/fuzz/generate/kernel.ts';
import { generateProgram } from '../../src/fuzz/generate/program.ts';
import { compareWithKernel, lastMessage } from '../../src/fuzz/oracle/kernel_agreement.ts';
import { REFUSALS } from '../../src/fuzz/refusals.ts';
import type { Verdict } from '../../src/verifier/verdict.ts';
import { verify } from '../../src/verifier/verify.ts';

const kernel = new FuzzKernel(openBundledProfile());
const dials = { size: 14 };

const stepped = (seed: number, from: number, to: number) => {
  const campaign = new Campaign(kernel, { seed, dials, runs: 1, runBudget: 500, budget: 5000 });
  for (let index = from; index < to; index++) campaign.step(index);
  return campaign.report(1);
};

describe('a campaign', () => {
  it('finds nothing in what we believe to be right', () => {
    const report = stepped(11, 0, 300);
    expect(report.findings).toEqual([]);
    expect(report.programs).toBe(300);
    expect(report.verdicts.accept / 300).toBeGreaterThan(0.3);
    expect(report.instructionsRun).toBeGreaterThan(500);
    expect(coverageOf(report).met.length).toBeGreaterThan(10);
  });

  it('finds nothing with a fresh seed, which is told', () => {
    const seed = Number(process.env['DRYBPF_FUZZ_SEED'] ?? randomInt(2 ** 20));
    console.info(`campaign of the fresh seed ${seed}; DRYBPF_FUZZ_SEED=${seed} repeats it`);
    expect(stepped(seed, 0, 300).findings, `seed ${seed}`).toEqual([]);
  });

  it('is the same for the same seed, and the sum of its parts', () => {
    const whole = stepped(3, 0, 60);
    expect(stepped(3, 0, 60)).toEqual(whole);
    const merged = mergeReports(stepped(3, 0, 25), stepped(3, 25, 60));
    expect({ ...merged, messages: new Map(Object.entries(merged.messages)) }).toEqual({
      ...whole,
      messages: new Map(Object.entries(whole.messages)),
    });
  });

  it('keeps the first of the findings of a shape, made smaller, as text that still shows it', () => {
    const lying: typeof verify = (program, profile, options) => {
      const verdict = verify(program, profile, options);
      return verdict.verdict === 'reject' && /!read_ok/.test(verdict.message ?? '') && options?.prune !== false
        ? { ...verdict, verdict: 'accept', message: null, errno: null, insn: null }
        : verdict;
    };
    const campaign = new Campaign(kernel, { seed: 5, dials: { ...dials, wrong: 0.3 }, oracles: ['pruning'], verifier: lying });
    for (let index = 0; index < 160; index++) campaign.step(index);
    const [found] = campaign.report(1).findings;
    expect(found).toMatchObject({ oracle: 'pruning', shape: 'pruning: accept with pruning, reject (RN !read_ok) without' });
    const [program] = assemble(found!.program, 'finding.bpf.s', { profile: kernel.profile }).programs;
    expect(program!.insns.length).toBeLessThan(6);
    expect(checkProgram(program!, kernel, { oracles: ['pruning'], verifier: lying }).findings).toHaveLength(1);
  });

  it('tells a crash as a finding', () => {
    const broken: typeof verify = () => {
      throw new TypeError('nothing there');
    };
    const campaign = new Campaign(kernel, { seed: 5, dials, verifier: broken });
    campaign.step(0);
    campaign.step(1);
    expect(campaign.report(1).findings).toMatchObject([{ oracle: 'crash', message: 'TypeError: nothing there', count: 2 }]);
  });
});

describe('rounds', () => {
  it('follow each other', () => {
    expect([0, 1999].map((number) => roundOf(number))).toEqual([
      { start: 0, end: 2000 },
      { start: 0, end: 2000 },
    ]);
    let { start, end } = roundOf(0);
    for (let i = 0; i < 8; i++) {
      expect(roundOf(end - 1)).toEqual({ start, end });
      const next = roundOf(end);
      expect(next.start).toBe(end);
      expect(next.end - next.start).toBeLessThanOrEqual(50_000);
      ({ start, end } = next);
    }
  });

  const text = '.section "xdp"\n.program mine\nr0 = 1\nr1 = *(u32 *)(r10 - 4)\nexit';
  const [mine] = assemble(text, 'mine.bpf.s', { profile: kernel.profile }).programs;

  it('begin with the corpus as it is and then make mutants of it and of what was kept', () => {
    const campaign = new Campaign(kernel, { seed: 2, dials, corpus: [mine!], kept: [mine!], mutants: 1 });
    expect(campaign.program(0)).toBe(mine);
    const mutants = Array.from({ length: 20 }, (_, i) => campaign.program(i + 1));
    expect(mutants.every(({ name }) => name === 'mine')).toBe(true);
    expect(new Set(mutants.map(({ insns }) => JSON.stringify(insns))).size).toBeGreaterThan(5);
  });

  it('keep what meets something new, once', () => {
    const campaign = new Campaign(kernel, { seed: 2, dials, corpus: [mine!, mine!] });
    campaign.step(0);
    campaign.step(1);
    const { kept } = campaign.report(1);
    expect(kept).toHaveLength(1);
    expect(kept[0]!.met).toContain('room ldx fp');
    const later = new Campaign(kernel, { seed: 2, dials, corpus: [mine!], known: new Set(kept[0]!.met) });
    later.step(0);
    expect(later.report(1).kept).toEqual([]);
  });
});

describe('a refusal that no run justifies', () => {
  const judged = (body: string) => {
    const [program] = assemble(`.section "xdp"\n.program p\n${body}`, 'p.bpf.s', { profile: kernel.profile }).programs;
    return checkProgram(program!, kernel, { oracles: ['precision'] });
  };
  it('is told with the runs that speak against it', () => {
    // a number below 2^32 that is divided by 2^30 and by 8 is 0, which the verifier does not see
    const body = 'call bpf_get_prandom_u32\nr0 /= 0x40000000\nr0 s>>= 3\nr1 = r10\nr1 += r0\nr0 = *(u8 *)(r1 - 8)\nexit';
    const { verdict, precision, findings } = judged(`*(u64 *)(r10 - 8) = 0\n${body}`);
    expect(verdict.verdict).toBe('reject');
    expect(precision).toEqual({ runs: 12, reached: 12 });
    expect(findings).toEqual([]);
  });
  it('is not told where a run goes wrong or never comes there', () => {
    expect(judged('r0 = *(u64 *)(r10 + 8)\nexit').precision).toBe(null);
    expect(judged('r1 = 0\nr0 = 0\nexit').precision).toBe(null);
  });
});

describe('coverage of refusals', () => {
  it('knows the format string of a message', () => {
    expect(formatOf('R3 !read_ok')).toBe('R%d !read_ok');
    expect(formatOf('invalid access to map value, value_size=16 off=12 size=8')).toBe(
      'invalid access to map value, value_size=%d off=%d size=%d',
    );
    expect(formatOf('no kernel says this')).toBe(null);
    expect(refusalCoverage(['R3 !read_ok', 'R4 !read_ok']).met).toEqual(['R%d !read_ok']);
    expect(refusalCoverage([]).missing).toHaveLength(REFUSALS.length);
  });
  it('takes messages of one rule for one shape', () => {
    expect(shapeOf("R3 invalid mem access 'scalar'")).toBe(shapeOf("R10 invalid mem access 'map_ptr'"));
    expect(shapeOf('off=-8')).toBe(shapeOf('off=0x10'));
  });
});

describe('agreement with a kernel', () => {
  const program = generateProgram(kernel, 5, dials);
  const pieces: string[] = [];
  const verdict = verify(program, kernel.profile, { logLevel: 6, log: (text) => void pieces.push(text) });
  const log = pieces.join('');
  const said = { verdict: verdict.verdict as 'accept' | 'reject', errno: verdict.errno, log };

  it('is whole for the same log', () => {
    expect(compareWithKernel(verdict, log, said)).toEqual({
      counts: { asked: 1, verdict: 1, message: 1, processed: 1, states: 1, log: 1 },
      difference: null,
    });
  });
  it('names the first thing that differs', () => {
    const other = said.verdict === 'accept' ? 'reject' : 'accept';
    expect(compareWithKernel(verdict, log, { ...said, verdict: other }).difference).toMatch(/^verdict: kernel/);
    const more = log.replace(/processed \d+ insns/, 'processed 99999 insns');
    expect(compareWithKernel(verdict, log, { ...said, log: more }).difference).toMatch(/^processed: kernel 99999, ours/);
    const states = log.replace(/total_states \d+/, 'total_states 777');
    expect(compareWithKernel(verdict, log, { ...said, log: states }).difference).toMatch(/^states: kernel \d+ 777/);
    expect(compareWithKernel(verdict, log, { ...said, log: `x\n${log}` }).difference).toMatch(/^log line 1: kernel 'x'/);
  });
  it('counts a message that stands behind an instruction whose line is not ended', () => {
    const glued = '0: (05) goto pc-1 infinite loop detected at insn 0\n';
    const refused: Verdict = { ...verdict, verdict: 'reject', errno: 'EINVAL', message: 'infinite loop detected at insn 0' };
    const kernelSaid = { verdict: 'reject', errno: 'EINVAL', log: glued } as const;
    expect(compareWithKernel(refused, glued, kernelSaid).difference).toBe(null);
    expect(compareWithKernel(refused, '0: (05) goto pc-1\ninfinite loop detected at insn 0\n', kernelSaid).difference).toMatch(
      /^message: kernel '0: \(05\)/,
    );
  });
  it('reads the last message of a log', () => {
    expect(lastMessage('0: (95) exit\nR0 !read_ok\nstack depth 0\nprocessed 1 insns (limit 1000000) x\n')).toBe('R0 !read_ok');
    expect(lastMessage('no newlineverification time 5 usec\nstack depth 0\n')).toBe('no newline');
  });
});
