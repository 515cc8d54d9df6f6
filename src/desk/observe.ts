import { Fault, Malformed, Unmodelled } from '../contracts/errors.ts';
import type { Profile } from '../contracts/profile.ts';
import { UserRingBufferMap } from '../maps/user_ring_buffer.ts';
import type { RingNumber } from '../program/expected_case.ts';
import type { ObjectImage, Program } from '../program/program.ts';
import type { System } from '../sys/system.ts';
import { verify } from '../verifier/verify.ts';
import { fillSlots, runIn } from '../vm/run.ts';
import type { Note } from '../vm/run_report.ts';
import { openWorld, type World } from '../world/build.ts';
import { type IterateOver, iterate, type Reading } from './iterate.ts';

/** A file's text and the name that errors in it are reported under. */
export interface WorldText {
  readonly text: string;
  readonly name: string;
}

/** In what a program is watched. */
export interface Scene {
  readonly world: WorldText | null;
  readonly over: IterateOver;
  readonly reading: Reading;
}

/** All that can be seen of a program that is verified, then run or walked in a world. Null for what did not come about. */
export interface Observation {
  readonly verdict: 'accept' | 'reject' | 'unknown' | 'not-loaded';
  readonly errno: string | null;
  readonly message: string | null;
  /** the log at level 1 */
  readonly log: string;
  /** of an accepted program: why it may do harm nevertheless */
  readonly unsound: readonly string[];
  /** which step before the first read failed, `attach: EOPNOTSUPP`; or what is not modelled */
  readonly step: string | null;
  readonly result: bigint | null;
  readonly printk: readonly string[];
  readonly output: string | null;
  readonly readError: string | null;
  readonly fault: string | null;
  /** of ring buffers of user space, by name */
  readonly rings: ReadonlyMap<string, Readonly<Record<RingNumber, number>>>;
  readonly link: readonly string[];
  readonly notes: readonly Note[];
}

/** Modelled time after a run in which what it has set off happens: irq work. */
const SETTLING = 1000n;
const RUN_BUDGET = 500_000_000;

const NOTHING: Omit<Observation, 'verdict' | 'errno' | 'message' | 'log'> = {
  unsound: [],
  step: null,
  result: null,
  printk: [],
  output: null,
  readError: null,
  fault: null,
  rings: new Map(),
  link: [],
  notes: [],
};

export const isIterator = ({ section }: Pick<Program, 'section'>): boolean => /^iter(\.s)?\//.test(section);

const ringsOf = ({ machine }: System): Observation['rings'] => {
  const rings = machine.maps.all.filter((map) => map instanceof UserRingBufferMap);
  return new Map(
    rings.map((ring) => [ring.name, { consumer: Number(ring.consumer), producer: Number(ring.producer), wakeups: ring.wakeups }]),
  );
};

const faultText = ({ reason, message }: Fault): string => `${reason}: ${message}`;

/** Verifies a program under a profile and, if it is accepted, runs it once in a scene, or reads it to the end. */
export function observe(image: ObjectImage, program: Program, profile: Profile, scene: Scene): Observation {
  if (program.loadError !== null) {
    return { ...NOTHING, verdict: 'not-loaded', errno: null, message: program.loadError, log: '' };
  }
  const pieces: string[] = [];
  const { verdict, errno, message, unmodelled, loaded } = verify(program, profile, {
    logLevel: 1,
    log: (piece) => pieces.push(piece),
  });
  const told = { verdict, errno, message: message ?? (unmodelled.join(', ') || null), log: pieces.join('') };
  if (loaded === undefined) return { ...NOTHING, ...told };
  const printed: string[] = [];
  const { text, name } = scene.world ?? { text: '', name: '' };
  const print = (line: string): void => {
    printed.push(line);
    world.afterMessage();
  };
  const world: World = openWorld(text, name, profile, { onPrintk: print });
  const { system } = world;
  world.fill(program.maps);
  const before = { ...NOTHING, ...told, unsound: profile.unsound ?? [] };
  if (isIterator(program)) {
    const seen = attempted(() => walked(system, program, image, scene));
    return { ...before, ...(typeof seen === 'string' ? { step: seen } : seen), printk: printed, rings: ringsOf(system) };
  }
  fillSlots(system.machine, program, image);
  const { probeLoads, reached } = loaded;
  const run = attempted(() => runIn(system.machine, program, { probeLoads, reached, budget: RUN_BUDGET, onPrintk: print }));
  if (typeof run === 'string') return { ...before, step: run, printk: printed };
  const late = system.machine.advance(SETTLING);
  const fault = run.fault ?? late;
  return {
    ...before,
    result: run.fault === null ? run.result : null,
    fault: fault === null ? null : faultText(fault),
    printk: printed,
    rings: ringsOf(system),
    notes: run.notes,
  };
}

/** What a run gives; words for one that would reach what is not modelled. */
function attempted<T>(run: () => T): T | string {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof Unmodelled)) throw error;
    return `not modelled: ${error.message}`;
  }
}

type Walked = Pick<Observation, 'step' | 'output' | 'readError' | 'fault' | 'link' | 'notes'>;

function walked(system: System, program: Program, image: ObjectImage, { over, reading }: Scene): Walked {
  const nothing: Walked = { step: null, output: null, readError: null, fault: null, link: [], notes: [] };
  try {
    const result = iterate(system, program, image, over, reading);
    if ('refused' in result) throw new Malformed(`${program.name} is refused: ${result.refused.message ?? ''}`);
    if ('step' in result) return { ...nothing, step: `${result.step}: ${result.error}` };
    const output = new TextDecoder('latin1').decode(joined(result.pieces));
    return { ...nothing, output, readError: result.error, link: result.link, notes: system.report.notes };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { ...nothing, fault: faultText(error), notes: system.report.notes };
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
