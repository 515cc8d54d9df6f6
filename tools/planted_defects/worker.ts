import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { assemble } from '../../src/asm/assemble.ts';
import { Campaign } from '../../src/fuzz/campaign.ts';
import { checkProgram } from '../../src/fuzz/check.ts';
import { shapeOf } from '../../src/fuzz/coverage.ts';
import { FuzzKernel } from '../../src/fuzz/generate/kernel.ts';
import { openProfile } from '../../src/profiles/index.ts';
import type { Program } from '../../src/program/program.ts';
import { runsOnPacket } from '../../src/vm/run.ts';
import type { Answer, Catch, Hunt, Question } from './hunt.ts';

/** As `drybpf fuzz` has them. */
const LIMITS = { runs: 1, runBudget: 1000, budget: 10_000 } as const;
const BTF = 'src/profiles/linux_6_18/btf';
const SAMPLES = 'programs';
/** Larger samples say little about a rule and take long. */
const SAMPLE_SLOTS = 300;

const { root } = workerData as { readonly root: string };
// errors are values here: nobody reads where they were made
Error.stackTraceLimit = 0;
const kernel = new FuzzKernel(openProfile('linux-6.18', (part) => readFileSync(join(root, BTF, `${part}.bin`))));

let samples: readonly Program[] | null = null;

function readSamples(): readonly Program[] {
  const files = readdirSync(join(root, SAMPLES), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.bpf.s'));
  return files
    .sort()
    .flatMap((file) => assemble(readFileSync(join(root, SAMPLES, file), 'utf8'), file, { profile: kernel.profile }).programs)
    .filter(({ loadError, insns, type }) => loadError === null && insns.length <= SAMPLE_SLOTS && runsOnPacket(type));
}

/** A defect is wrong about programs; code that does not run at all is no defect. */
function refuseBroken(campaign: Campaign): void {
  const broken = campaign
    .report(0)
    .findings.find(({ oracle, message }) => oracle === 'crash' && /^(Reference|Type)Error/.test(message));
  if (broken !== undefined) throw new Error(`the verifier is broken, not wrong: ${broken.message}`);
}

function hunt({ seed, from, budget, oracles, dials, mutants }: Hunt): Catch | null {
  if (mutants) samples ??= readSamples();
  const campaign = new Campaign(kernel, { seed, oracles, dials, corpus: mutants ? samples! : [], ...LIMITS });
  for (let index = from; index < budget; index++) {
    const checked = campaign.step(index);
    if (checked === null) refuseBroken(campaign);
    const finding = checked?.findings[0];
    if (finding === undefined) continue;
    const { oracle, message } = finding;
    const shape = `${oracle}: ${shapeOf(message)}`;
    const program = campaign.report(0).findings.find((found) => found.shape === shape)?.program ?? '';
    return { programs: index + 1, oracle: oracle as Catch['oracle'], message, program };
  }
  return null;
}

/** Several runs of each program, so that every path of a small one is taken. */
const RUNS = 24;

function check({ text }: Question): Answer {
  const program = assemble(text, 'planted.bpf.s', { profile: kernel.profile }).programs[0]!;
  const { verdict, findings } = checkProgram(program, kernel, { runs: RUNS });
  return { verdict: verdict.verdict, findings: findings.map(({ oracle, message }) => ({ oracle, message })) };
}

parentPort!.on('message', (order: Hunt | Question) => parentPort!.postMessage('text' in order ? check(order) : hunt(order)));
