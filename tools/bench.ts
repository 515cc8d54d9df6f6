/**
 * Measures what the project promises, on the built command:
 *
 *     npm run bench [-- --repeat N] [-- --suite]
 *
 * cold    the whole of `drybpf verify` on a small object, from the start of node to its end; the best of several
 * verify  warm verification of the samples that take most instructions
 * then    instructions a second of the interpreter on the compute samples, with every check on (tools/bench_interpreter.ts)
 * size    a program that takes the verifier to its million-instruction limit: time, and memory of the whole process
 * suite   (with --suite) times against the kernel's own, on programs of 10,000 processed instructions and more
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const argument = (name: string, fallback: number): number => {
  const at = process.argv.indexOf(name);
  return at === -1 ? fallback : Number(process.argv[at + 1]);
};
const repeat = argument('--repeat', 5);
const folder = mkdtempSync(join(tmpdir(), 'drybpf-bench-'));
const command = join(root, 'dist/cli.js');

interface Line {
  readonly verdict?: string;
  readonly errno?: string | null;
  readonly insnsProcessed: number;
  readonly durationUs: number;
  readonly coldUs: number;
}

function drybpf(args: readonly string[], nodeArgs: readonly string[] = []): { line: Line; wall: number; stderr: string } {
  const start = performance.now();
  const { stdout, stderr } = spawnSync(process.execPath, [...nodeArgs, command, ...args], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const wall = performance.now() - start;
  const first = stdout.split('\n', 1)[0]!;
  if (!first.startsWith('{')) throw new Error(`drybpf ${args.join(' ')}: ${stderr || stdout}`);
  return { line: JSON.parse(first) as Line, wall, stderr };
}

const best = (n: number, measure: () => number): number => Math.min(...Array.from({ length: n }, measure));
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

/** A counted loop that is walked round by round, up to the limit. */
const longLoop = [
  '.section "xdp"',
  'r0 = 0',
  'again:',
  'r0 += 1',
  'r1 = r0',
  'if r0 != 1000000 goto again',
  'r0 = 2',
  'exit',
  '',
].join('\n');

/** The same with a branch in each round: two paths, and many states that are kept. */
const branchingLoop = [
  '.section "xdp"',
  'r7 = 0',
  'again:',
  'call bpf_get_prandom_u32',
  'r8 = 0',
  'if r0 == 7 goto skip',
  'r8 = r10',
  'skip:',
  'r7 += 1',
  'if r7 != 8000 goto again',
  'r0 = 2',
  'exit',
  '',
].join('\n');

const cold = best(repeat, () => drybpf(['verify', '--format', 'json', 'programs/c/count_protocols.o']).wall);
console.log(`cold    verify of a small object: ${cold.toFixed(0)} ms`);

for (const object of ['programs/c/checksum.o', 'programs/c/rate_limit.o']) {
  const { line } = drybpf(['verify', '--format', 'json', '--repeat', '2000', object]);
  const rate = line.insnsProcessed / line.durationUs;
  console.log(`verify  ${object}: ${line.durationUs} us warm, ${line.coldUs} us cold, ${rate.toFixed(2)} M insns/s`);
}

spawnSync(process.execPath, ['--import', 'tsx', join(root, 'tools/bench_interpreter.ts')], { cwd: root, stdio: 'inherit' });

for (const [name, text] of [
  ['a loop with two paths', branchingLoop],
  ['a loop of a million rounds', longLoop],
] as const) {
  const path = file(`${name.replaceAll(' ', '_')}.bpf.s`, text);
  const probe = join(folder, 'memory.cjs');
  writeFileSync(probe, "process.on('exit', () => process.stderr.write('MAXRSS ' + process.resourceUsage().maxRSS));");
  const { line, stderr } = drybpf(['verify', '--format', 'json', path], ['--require', probe]);
  const megabytes = Number(/MAXRSS (\d+)/.exec(stderr)?.[1] ?? 0) / 1024;
  const seconds = (line.coldUs / 1e6).toFixed(2);
  console.log(`size    ${name}: ${line.verdict}, ${line.insnsProcessed} insns in ${seconds} s, ${megabytes.toFixed(0)} MiB`);
}
if (process.argv.includes('--suite')) {
  spawnSync(process.execPath, ['--import', 'tsx', join(root, 'tools/kernel_suite.ts'), '--speed'], {
    cwd: root,
    stdio: 'inherit',
  });
}
rmSync(folder, { recursive: true });
