import { afterAll, describe, expect, it } from 'vitest';
import { assemble } from '../../src/asm/assemble.ts';
import { openBundledProfile } from '../../src/cli/bundled_kernel.ts';
import { KernelOracle, NoKernel } from '../../src/cli/kernel_oracle.ts';
import { Reject, Unmodelled } from '../../src/contracts/errors.ts';
import { ALL_CAPABILITIES, NO_CAPABILITIES } from '../../src/contracts/subject.ts';
import { PROG_TYPES } from '../../src/contracts/uapi_numbers.ts';
import { KERNEL } from '../../src/kernel/kernel_model.ts';
import type { Program } from '../../src/program/program.ts';
import type { Verdict } from '../../src/verifier/verdict.ts';
import { verify } from '../../src/verifier/verify.ts';
import { Machine } from '../../src/vm/machine.ts';
import { runIn } from '../../src/vm/run.ts';

/**
 * One rule of the verifier: its name, a program that shows it, and what Linux says: `accept`, or the message of the refusal.
 * A program without a `.section` of its own is a socket filter. `unprivileged` rows are loaded without any capability, `bpf` rows
 * with CAP_BPF alone.
 */
export type Rule = readonly [rule: string, program: string, says: string, loader?: 'unprivileged' | 'bpf'];

export const profile = openBundledProfile();

export function programOf(text: string): Program {
  const whole = /^\s*\.section/m.test(text) ? text : `.section "socket"\n.program test\n${text}`;
  const image = assemble(whole, 'rule.bpf.s', { profile });
  const program = image.programs[0];
  if (!program) throw new Error('no program');
  return program;
}

const LOADERS = { unprivileged: NO_CAPABILITIES, bpf: { ...NO_CAPABILITIES, bpf: true } } as const;

export const capabilitiesOf = (rule: Rule) => (rule[3] === undefined ? ALL_CAPABILITIES : LOADERS[rule[3]]);

export function judge(text: string, capabilities = ALL_CAPABILITIES): { verdict: Verdict; log: string } {
  const pieces: string[] = [];
  const verdict = verify(programOf(text), profile, { logLevel: 2, log: (piece) => pieces.push(piece), capabilities });
  return { verdict, log: pieces.join('') };
}

/** Addresses numbered by first appearance. */
export function comparable(log: string): string {
  const seen = new Map<string, string>();
  return log.replace(/0xffff[0-9a-f]{12}/g, (address) => {
    if (!seen.has(address)) seen.set(address, `0xKADDR${seen.size + 1}`);
    return seen.get(address) as string;
  });
}

const says = (verdict: Verdict): string => (verdict.verdict === 'accept' ? 'accept' : `${verdict.message}`);

/** Instructions and calls of a short run, and the time that is left to what it starts. */
const RUN = { budget: 20_000, wait: 1_000_000n };

/** Their context holds pointers to kernel objects, of which there are none here. */
const POINTER_ARGUMENTS: ReadonlySet<number> = new Set([PROG_TYPES.tracing, PROG_TYPES.lsm, PROG_TYPES.struct_ops]);

/**
 * Why a program that was accepted traps when it is run, in a kernel with one process and twice in a row; null when it does not. What
 * cannot be run yet does not trap.
 */
export function trapOf(program: Program, verdict: Verdict): string | null {
  const machine = new Machine(profile, { memoryLimit: 16 << 20 });
  try {
    machine.part(KERNEL).open(machine.memory, profile.btf, machine.cpuCount);
    for (let i = 0; i < 2; i++) {
      const { fault } = runIn(machine, program, { ...verdict.loaded, ...RUN });
      if (fault?.reason === 'null' && POINTER_ARGUMENTS.has(program.type)) return null;
      if (fault !== null && fault.reason !== 'budget') return `${fault.reason} at insn ${fault.insn}: ${fault.message}`;
    }
    return null;
  } catch (error) {
    if (error instanceof Unmodelled || error instanceof Reject) return null;
    throw error;
  } finally {
    machine.release();
  }
}

/**
 * A test for each rule, which also runs what is accepted; `traps` are the rules by which Linux accepts what it should not, with the
 * trap that follows. And one test that holds every log of the table against
 * the running kernel's, where there is one.
 */
export function describeRules(room: string, rules: readonly Rule[], traps: Readonly<Record<string, string>> = {}): void {
  describe(room, () => {
    it.each(rules.map((rule) => ({ name: rule[0], rule })))('$name', ({ rule }) => {
      const { verdict } = judge(rule[1], capabilitiesOf(rule));
      expect(says(verdict)).toBe(rule[2]);
      if (verdict.verdict === 'accept') expect(trapOf(programOf(rule[1]), verdict), 'run').toBe(traps[rule[0]] ?? null);
    });

    describe('against the running kernel', () => {
      let oracle: KernelOracle | null = null;
      afterAll(() => oracle?.close());
      it('has the same log for every rule', async (context) => {
        try {
          oracle = await KernelOracle.open();
        } catch (error) {
          if (error instanceof NoKernel) context.skip(error.message);
          throw error;
        }
        if (!oracle.release.startsWith('6.18.')) context.skip(`the running kernel is ${oracle.release}`);
        for (const rule of rules) {
          const capabilities = capabilitiesOf(rule);
          const answer = await oracle.ask(programOf(rule[1]), { logLevel: 2, capabilities });
          // kernel.unprivileged_bpf_disabled
          if (rule[3] === 'unprivileged' && answer.errno === 'EPERM' && answer.log === '') continue;
          expect(comparable(judge(rule[1], capabilities).log), rule[0]).toBe(comparable(answer.log));
        }
      });
    });
  });
}
