import { Malformed, Unmodelled } from '../../contracts/errors.ts';
import type { Profile } from '../../contracts/profile.ts';
import type { Program } from '../../program/program.ts';
import type { LoadedFacts } from '../../verifier/verdict.ts';
import { Machine } from '../../vm/machine.ts';
import { type Run, runIn, runsOnPacket } from '../../vm/run.ts';
import { Random } from '../random.ts';
import { Containment } from './containment.ts';
import type { ExploredGraph } from './explored.ts';

/** A run of an accepted program that should not have been possible. */
export interface RunFinding {
  readonly oracle: 'fault' | 'containment';
  readonly insn: number | null;
  readonly message: string;
}

export interface Runs {
  readonly findings: readonly RunFinding[];
  /** runs that came to their end */
  readonly runs: number;
  readonly instructions: number;
  /** instructions that were held against an explored state */
  readonly checked: number;
  /** what the machine cannot run; null when it could */
  readonly unmodelled: string | null;
}

export interface RunsOptions {
  readonly seed: number;
  readonly runs: number;
  /** instructions of one run; a program that takes longer has not failed */
  readonly budget?: number;
  readonly loaded?: LoadedFacts | undefined;
}

const PACKET_BYTES = [14, 34, 42, 60, 64, 128, 200] as const;
const DEFAULT_BUDGET = 20_000;

const randomBytes = (random: Random, length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i += 4) {
    const word = random.chance(0.3) ? 0 : random.chance(0.2) ? random.immediate() : random.next();
    for (let j = 0; j < 4 && i + j < length; j++) bytes[i + j] = word >>> (8 * j);
  }
  return bytes;
};

const inputs = (random: Random, program: Program): { data?: Uint8Array; context?: Uint8Array } => {
  if (!runsOnPacket(program.type)) return { context: randomBytes(random, 128) };
  const data = randomBytes(random, random.pick(PACKET_BYTES));
  if (random.chance(0.7) && data.length >= 14) {
    data[12] = 8;
    data[13] = 0;
  }
  return { data };
};

/** Puts values into the maps, so that lookups find something. */
const fillMaps = (random: Random, machine: Machine, program: Program): void => {
  for (const def of program.maps) {
    if (def.frozen || def.valueSize === 0 || def.valueSize > 4096 || random.chance(0.3)) continue;
    const map = machine.maps.of(def);
    for (let i = 0; i < 3; i++) {
      const key = new Uint8Array(def.keySize);
      if (random.chance(0.7)) key[0] = i;
      else key.set(randomBytes(random, def.keySize));
      map.userUpdate(key, randomBytes(random, map.userValueSize));
    }
  }
};

/** Runs an accepted program on random inputs and holds every step against what the verifier explored. */
export function runOracles(program: Program, profile: Profile, graph: ExploredGraph | null, options: RunsOptions): Runs {
  const random = new Random(options.seed);
  const findings: RunFinding[] = [];
  let runs = 0;
  let instructions = 0;
  let checked = 0;
  let machine: Machine | null = null;
  try {
    machine = new Machine(profile, { seed: random.next(), memoryLimit: MEMORY_LIMIT });
    fillMaps(random, machine, program);
    for (; runs < options.runs && findings.length === 0; runs++) {
      const containment = graph === null ? null : new Containment(graph, program, machine);
      const run: Run = runIn(machine, program, {
        ...inputs(random, program),
        budget: options.budget ?? DEFAULT_BUDGET,
        ...(containment === null ? {} : { trace: containment.hook }),
        ...(options.loaded === undefined ? {} : { probeLoads: options.loaded.probeLoads, reached: options.loaded.reached }),
      });
      instructions += run.stats.instructions;
      checked += containment?.checked ?? 0;
      const escaped = containment?.escape;
      if (escaped) findings.push({ oracle: 'containment', insn: escaped.insn, message: escaped.what });
      else if (run.fault !== null && run.fault.reason !== 'budget') {
        findings.push({ oracle: 'fault', insn: run.fault.insn, message: `${run.fault.reason}: ${run.fault.message}` });
      }
    }
  } catch (error) {
    if (!(error instanceof Unmodelled) && !(error instanceof Malformed)) throw error;
    return { findings, runs, instructions, checked, unmodelled: error.message };
  } finally {
    machine?.memory.release();
  }
  return { findings, runs, instructions, checked, unmodelled: null };
}

const MEMORY_LIMIT = 8 << 20;
