/**
 * Records what the running kernel logs of the sample programs, for test/golden.test.ts:
 *
 *     npx tsx tools/record_golden.ts [SUBSTRING]
 *
 * Needs Linux 6.18, the right to load programs, and a C compiler. A log is at level 2 with statistics; kernel addresses are numbered by
 * first appearance and the line with the verification time is left out. The first line says which kernel spoke, and when.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Btf } from '../src/btf/btf.ts';
import { expandPaths, loadInput, readInput } from '../src/cli/inputs.ts';
import { KernelOracle } from '../src/cli/kernel_oracle.ts';
import { openProfile } from '../src/profiles/index.ts';
import { comparableLog } from '../src/report/comparable_log.ts';

const LOG_LEVEL = 6;
const LOG_SIZE = 1 << 26;
/** Longer logs are not kept. */
const MAX_GOLDEN = 256 << 10;

const root = join(import.meta.dirname, '..');
const only = process.argv[2] ?? '';
const profile = openProfile('linux-6.18', Btf.parse(readFileSync('/sys/kernel/btf/vmlinux')));
const oracle = await KernelOracle.open();
const release = /^\d+\.\d+\.\d+/.exec(oracle.release)?.[0] ?? oracle.release;
if (!release.startsWith(profile.version.slice(0, 2).join('.'))) throw new Error(`this is Linux ${release}, not ${profile.name}`);

let recorded = 0;
for (const path of expandPaths([join(root, 'programs')])) {
  if (!path.includes(only)) continue;
  const name = path.slice(join(root, 'programs').length + 1);
  const image = await loadInput(`programs/${name}`, readInput(path), { profile, presets: [], section: 'socket' });
  for (const program of image.programs) {
    if (program.loadError !== null) {
      console.log(`${name}/${program.name}: not recorded (${program.loadError})`);
      continue;
    }
    const answer = await oracle.ask(program, { logLevel: LOG_LEVEL, logSize: LOG_SIZE });
    if (answer.stage !== 'program' || answer.log === '' || answer.log.length > MAX_GOLDEN) {
      console.log(
        `${name}/${program.name}: not recorded (${answer.stage} ${answer.errno ?? `log of ${answer.log.length} bytes`})`,
      );
      continue;
    }
    const file = join(root, 'test/golden', `${name}.${program.name}.log`);
    mkdirSync(dirname(file), { recursive: true });
    const said = answer.errno === null ? 'accept' : `reject ${answer.errno}`;
    const provenance = `# Linux ${release} x86-64, ${new Date().toISOString().slice(0, 10)}: ${said}`;
    writeFileSync(file, `${provenance}\n${comparableLog(answer.log)}`);
    recorded++;
  }
}
oracle.close();
console.log(`${recorded} logs of Linux ${release}`);
