/**
 * How fast the reference interpreter runs the compute samples, with all checks on.
 *
 *   npx tsx tools/bench_interpreter.ts [ROUNDS]
 *
 * Prints millions of instructions a second of processor time for each sample (median of the later half of the rounds) and the geometric mean.
 */

import { assemble } from '../src/asm/assemble.ts';
import { BtfBuilder } from '../src/btf/builder.ts';
import { btfFromC } from '../src/btf/c_parser.ts';
import { linux_6_18 } from '../src/profiles/index.ts';
import { Machine } from '../src/vm/machine.ts';
import { runIn } from '../src/vm/run.ts';
import { COMPUTE_SAMPLES } from '../test/vm/compute_samples.ts';

const rounds = Number(process.argv[2] ?? 8);
const profile = linux_6_18(btfFromC('struct nothing { int x; };', new BtfBuilder()).btf);

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;

const speeds = new Map<string, number[]>(COMPUTE_SAMPLES.map(({ name }) => [name, []]));
for (let round = 0; round < rounds; round++) {
  for (const { name, text, result } of COMPUTE_SAMPLES) {
    const program = assemble(text, 'bench.bpf.s', { profile }).programs[0]!;
    const machine = new Machine(profile);
    machine.load(program);
    const start = process.cpuUsage();
    const done = runIn(machine, program);
    const microseconds = process.cpuUsage(start).user;
    if (done.result !== result) throw new Error(`${name}: 0x${done.result.toString(16)} instead of 0x${result.toString(16)}`);
    if (round >= rounds / 2) speeds.get(name)!.push(done.stats.instructions / microseconds);
    machine.release();
  }
}
let product = 1;
for (const [name, values] of speeds) {
  const speed = median(values);
  product *= speed;
  console.log(`${speed.toFixed(0).padStart(5)} M/s  ${name}`);
}
console.log(`${(product ** (1 / speeds.size)).toFixed(0).padStart(5)} M/s  geometric mean`);
