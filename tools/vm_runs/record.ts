/**
 * Records what Linux 6.12 does when programs run: boots it under QEMU, loads the programs of the scenarios with the type ids of its
 * BTF, and carries out their steps.
 *
 *   npm run vm-runs [NAME...]
 *
 * The runner of the virtual machine is $KERNEL_VM, or ../shared/kernel-vm/run.sh beside the repository; without one, nothing is
 * recorded. Needs a C compiler that links statically.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assemble } from '../../src/asm/assemble.ts';
import { Btf } from '../../src/btf/btf.ts';
import { oracleRequest } from '../../src/cli/oracle_request.ts';
import type { Profile } from '../../src/contracts/profile.ts';
import { textOfBytes } from '../../src/kernel/text.ts';
import { linux_6_18 } from '../../src/profiles/index.ts';
import { Guest, RUNNER } from '../vm_verdicts/guest.ts';
import { comparable, goldenFile, type Provenance } from './golden.ts';
import { procFilesOf, recordedProc } from './recorded_proc.ts';
import { GROUPS } from './scenarios/index.ts';
import { firstProcStep, guestSteps, snapshotFrom, WALKS } from './snapshot.ts';
import type { Answer, Scenario, Step } from './steps.ts';

const VERSION = '6.12';
const BOOT_SECONDS = 180;
const MAIN = fileURLToPath(new URL('./guest/main.c', import.meta.url));

/** A kernel whose types are the guest's; the loader asks nothing else that differs. */
const guestProfile = (btf: Btf): Profile => ({ ...linux_6_18(btf), name: `linux-${VERSION}`, version: [6, 12, 0] });

/** The lines that the guest reads: steps, those that load with the program. */
function linesOf(scenario: Scenario, profile: Profile): string {
  const image = assemble(scenario.text, `${scenario.name}.bpf.s`, { profile });
  const line = (step: Step): unknown => {
    if (step.do !== 'load') return step;
    const program = image.programs.find(({ name }) => name === step.prog);
    if (program === undefined) throw new Error(`${scenario.name}: there is no program ${step.prog}`);
    return { ...step, request: oracleRequest(program, { logLevel: 1 }) };
  };
  return scenario.steps.map((step) => `${JSON.stringify(line(step))}\n`).join('');
}

function compiled(): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'vm-runs-'));
  try {
    const binary = join(folder, 'guest');
    const args = ['-O2', '-static', '-pthread', '-o', binary, MAIN];
    const { status, stderr } = spawnSync(process.env['CC'] ?? 'cc', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`the guest's program does not compile: ${stderr}`);
    return readFileSync(binary);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The answers to the steps of each scenario. Throws where the guest stopped or refused a program. */
function ask(guest: Guest, profile: Profile, scenarios: readonly Scenario[]): { release: string; rows: unknown[] } {
  const files = new Map<string, string | Uint8Array>([['guest', compiled()]]);
  for (const [index, scenario] of scenarios.entries()) files.set(`scenario${index}`, linesOf(scenario, profile));
  const each = scenarios.map((_, index) => `./guest < scenario${index}; echo "== $?"`);
  const output = new TextDecoder().decode(guest.run(`uname -r; ${each.join('; ')}`, files));
  const [release, ...lines] = output.split('\n');
  const rows: unknown[] = [];
  let answers: Answer[] = [];
  for (const line of lines) {
    const scenario = scenarios[rows.length];
    if (scenario === undefined) break;
    if (line.startsWith('{')) {
      const answer = JSON.parse(line);
      if (answer.log !== undefined) throw new Error(`${scenario.name}: the program is refused: ${answer.log}`);
      answers.push(comparable(answer));
    } else if (line === '== 0' && answers.length === scenario.steps.length) {
      rows.push({ name: scenario.name, answers });
      answers = [];
    } else throw new Error(`${scenario.name}: step ${answers.length}: ${line}`);
  }
  if (rows.length !== scenarios.length) throw new Error(`${rows.length} of ${scenarios.length} scenarios were answered`);
  return { release: release!, rows };
}

/** The /proc of a guest and what iterators write there; taken again when tasks changed in between. */
function askSnapshot(guest: Guest, profile: Profile, attempts = 4): { release: string; rows: unknown[] } {
  const lines = guestSteps(profile).map((step) => `${JSON.stringify(step)}\n`);
  const files = new Map<string, string | Uint8Array>([
    ['guest', compiled()],
    ['steps', lines.join('')],
  ]);
  for (let attempt = 0; attempt < attempts; attempt++) {
    const output = new TextDecoder().decode(guest.run('uname -r; ./guest < steps', files));
    const [release, ...answers] = output.trimEnd().split('\n');
    const said = answers.map((line) => JSON.parse(line));
    const refused = said.find(({ result }) => result < 0);
    if (refused !== undefined || said.length !== lines.length) throw new Error(`snapshot: ${JSON.stringify(refused) ?? output}`);
    const [before, after] = [said[firstProcStep], said.at(-1)].map(({ files: dumped }) => recordedProc(dumped));
    const [first, second] = [before, after].map((proc) => JSON.stringify(snapshotFrom(procFilesOf(proc!))));
    if (first !== second) continue;
    const walks = WALKS.map((name, index) => {
      const bytes = Buffer.from(said[firstProcStep + 1 + index].pieces.join(''), 'hex');
      return { name, output: textOfBytes(bytes) };
    });
    return { release: release!, rows: [before, ...walks] };
  }
  throw new Error('the tasks of the guest went on changing');
}

function write(name: string, { release, rows }: { release: string; rows: unknown[] }, what: string): void {
  const provenance: Provenance = {
    kernel: release,
    how: `npm run vm-runs: QEMU without hardware virtualisation, steps of tools/vm_runs/${what}`,
    recorded: new Date().toISOString().slice(0, 10),
  };
  mkdirSync(new URL('.', goldenFile(name)), { recursive: true });
  writeFileSync(goldenFile(name), [provenance, ...rows].map((row) => `${JSON.stringify(row)}\n`).join(''));
  console.log(`${name}: ${rows.length} rows from ${release}`);
}

function record(): void {
  if (!existsSync(RUNNER)) {
    console.log('no virtual machine here: 0 recordings taken');
    return;
  }
  const wanted = process.argv.slice(2);
  const guest = new Guest(VERSION, BOOT_SECONDS);
  const profile = guestProfile(Btf.parse(guest.btf()));
  for (const [name, scenarios] of Object.entries(GROUPS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    write(name, ask(guest, profile, scenarios), `scenarios/${name}.ts`);
  }
  if (wanted.length === 0 || wanted.includes('snapshot')) write('snapshot', askSnapshot(guest, profile), 'snapshot.ts');
}

record();
