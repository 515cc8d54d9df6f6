import { assemble } from '../../src/asm/assemble.ts';
import { openProfile } from '../../src/profiles/index.ts';
import type { ObjectImage } from '../../src/program/program.ts';
import type { MachineOptions } from '../../src/vm/machine.ts';
import { type Run, type RunOptions, run } from '../../src/vm/run.ts';
import { readVmlinuxPart } from '../profiles/packed_vmlinux.ts';

export const profile = openProfile('linux-6.18', readVmlinuxPart);

export const image = (text: string): ObjectImage => assemble(text, 'sample.bpf.s', { profile });

type Options = RunOptions & { readonly machine?: MachineOptions; readonly program?: string };

/** Assembles a text and runs its first program (or the one that is named), unverified. */
export function runText(text: string, options: Options = {}): ReturnType<typeof run> {
  const object = image(text);
  const program = object.programs.find(({ name }) => name === options.program) ?? object.programs[0]!;
  return run(program, profile, { ...options, object });
}

/** The result of a run that must not fault, as a signed number. */
export function resultOf(text: string, options: Options = {}): bigint {
  const done: Run = runText(text, options);
  if (done.fault !== null) throw done.fault;
  return BigInt.asIntN(64, done.result);
}

/** The reason and slot of the fault that a run must end with. */
export function faultOf(text: string, options: Options = {}): readonly [reason: string, insn: number | null] {
  const { fault } = runText(text, options);
  if (fault === null) throw new Error('the run did not fault');
  return [fault.reason, fault.insn];
}
