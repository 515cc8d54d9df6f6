import { Malformed, Reject, Unmodelled } from '../../contracts/errors.ts';
import type { Profile } from '../../contracts/profile.ts';
import { ProgArrayMap } from '../../maps/reference_maps.ts';
import { RingBufferMap } from '../../maps/ring_buffer.ts';
import type { Program } from '../../program/program.ts';
import type { LoadedFacts } from '../../verifier/verdict.ts';
import type { Machine } from '../../vm/machine.ts';
import { type Run, runIn as runMachine } from '../../vm/run.ts';
import { Random } from '../random.ts';
import { Containment } from './containment.ts';
import type { ExploredGraph } from './explored.ts';
import { inputOf, openMachine, randomBytes, tailCallTarget, WITHOUT_WORLD } from './surroundings.ts';

/** A run of an accepted program that should not have been possible. */
export interface RunFinding {
  readonly oracle: 'fault' | 'containment';
  readonly insn: number | null;
  readonly message: string;
  /** see `Escape` */
  readonly behindFetch?: boolean;
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

const DEFAULT_BUDGET = 20_000;

/** Puts values into the maps, so that lookups find something, and programs, so that tail calls do. */
export const fillMaps = (random: Random, machine: Machine, program: Program): void => {
  for (const def of program.maps) {
    if (def.frozen || def.valueSize === 0 || def.valueSize > 4096 || random.chance(0.3)) continue;
    const map = machine.maps.of(def);
    if (map instanceof ProgArrayMap) {
      for (let i = 0; i < 2; i++) map.setProgram(random.below(4), tailCallTarget(random, machine, program));
      continue;
    }
    for (let i = 0; i < 3; i++) {
      const key = new Uint8Array(def.keySize);
      if (random.chance(0.7)) key[0] = i;
      else key.set(randomBytes(random, def.keySize));
      map.userUpdate(key, randomBytes(random, map.userValueSize));
    }
  }
};

const openRecords = (machine: Machine): number =>
  machine.maps.all.reduce((sum, map) => sum + (map instanceof RingBufferMap ? map.openRecords : 0), 0);

/** Runs an accepted program on random inputs and holds every step against what the verifier explored. */
export function runOracles(program: Program, profile: Profile, graph: ExploredGraph | null, options: RunsOptions): Runs {
  const alone = runIn(program, profile, graph, options, false);
  return alone.unmodelled?.startsWith(WITHOUT_WORLD) === true ? runIn(program, profile, graph, options, true) : alone;
}

/** Time in which timers and work queues get what programs leave to them. */
const LATER_NANOSECONDS = 20_000n;

/** What a program leaves for later may not trap either; it is not held against states. */
function runLater(machine: Machine, budget: number): RunFinding | null {
  machine.engine.setStepHook(null);
  const fault = machine.advance(LATER_NANOSECONDS, budget);
  if (fault === null || fault.reason === 'budget') return null;
  return { oracle: 'fault', insn: fault.insn, message: `later: ${fault.reason}: ${fault.message}` };
}

function runIn(program: Program, profile: Profile, graph: ExploredGraph | null, options: RunsOptions, people: boolean): Runs {
  const random = new Random(options.seed);
  const findings: RunFinding[] = [];
  let runs = 0;
  let instructions = 0;
  let checked = 0;
  let machine: Machine | null = null;
  try {
    machine = openMachine(profile, random.next(), people);
    fillMaps(random, machine, program);
    for (; runs < options.runs && findings.length === 0; runs++) {
      const containment = graph === null ? null : new Containment(graph, program, machine);
      const run: Run = runMachine(machine, program, {
        ...inputOf(random, machine, program, options.loaded),
        budget: options.budget ?? DEFAULT_BUDGET,
        ...(containment === null ? {} : { trace: containment.hook }),
        ...(options.loaded === undefined ? {} : { probeLoads: options.loaded.probeLoads, reached: options.loaded.reached }),
      });
      instructions += run.stats.instructions;
      checked += containment?.checked ?? 0;
      const escaped = containment?.escape;
      if (escaped) {
        const { insn, what, behindFetch } = escaped;
        findings.push({ oracle: 'containment', insn, message: what, behindFetch });
      } else if (run.fault !== null && run.fault.reason !== 'budget') {
        findings.push({ oracle: 'fault', insn: run.fault.insn, message: `${run.fault.reason}: ${run.fault.message}` });
      } else if (run.fault === null) {
        const later = runLater(machine, options.budget ?? DEFAULT_BUDGET);
        if (later !== null) findings.push(later);
      }
      const leaked = run.fault === null ? openRecords(machine) : 0;
      if (leaked > 0) {
        findings.push({ oracle: 'fault', insn: null, message: `leak: ${leaked} ring buffer records were never given back` });
      }
    }
  } catch (error) {
    const isNotRun = error instanceof Unmodelled || error instanceof Malformed || error instanceof Reject;
    if (!isNotRun) throw error;
    return { findings, runs, instructions, checked, unmodelled: error.message };
  } finally {
    machine?.memory.release();
  }
  return { findings, runs, instructions, checked, unmodelled: null };
}
