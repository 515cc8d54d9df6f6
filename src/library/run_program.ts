import { errnoName, Malformed } from '../contracts/errors.ts';
import type { Profile } from '../contracts/profile.ts';
import { type DumpedEntry, dumpMap, seedMap } from '../maps/dump.ts';
import { ProgArrayMap } from '../maps/reference_maps.ts';
import type { MapDef, ObjectImage, Program } from '../program/program.ts';
import { Machine, type MachineOptions } from '../vm/machine.ts';
import { fillSlots, type Run, type RunOptions, runIn } from '../vm/run.ts';

/** A program put into a slot of a program array: `jumps[3] = parse_ipv4`. */
export interface ProgArraySlot {
  readonly map: string;
  readonly index: number;
  readonly program: string;
}

export interface RunProgramOptions extends RunOptions {
  /** where the programs and inner maps are that the program's maps refer to by name */
  readonly object?: ObjectImage;
  /** content of maps by name, as `bpftool map dump --json` writes it: a list of `{ key, value }`, bytes as numbers or text */
  readonly maps?: Readonly<Record<string, unknown>>;
  readonly progArrays?: readonly ProgArraySlot[];
  /** runs in a row, on the same maps; the last one is reported */
  readonly repeat?: number;
  readonly settings?: MachineOptions;
  /** a machine to go on with; its maps and its time are kept, and `settings` are its own */
  readonly machine?: Machine;
}

export interface ProgramRun extends Run {
  /** content of every map that the program knows, by name */
  readonly maps: Readonly<Record<string, readonly DumpedEntry[]>>;
  /** for further runs */
  readonly machine: Machine;
}

/**
 * Runs a program in a modelled kernel, with every check of the machine on; it need not have been verified. What the program did
 * wrong is the run's `fault`. Throws `Malformed` for maps that cannot be seeded as asked, `Unmodelled` before a program starts that
 * would reach what cannot be run yet.
 */
export function run(program: Program, profile: Profile, options: RunProgramOptions = {}): ProgramRun {
  if (program.loadError !== null) throw new Malformed(program.loadError);
  const machine = options.machine ?? new Machine(profile, options.settings);
  if (options.machine === undefined && options.object !== undefined) fillSlots(machine, program, options.object);
  for (const [name, content] of Object.entries(options.maps ?? {})) seed(machine, defOf(program, name), content);
  for (const slot of options.progArrays ?? []) placeProgram(machine, program, slot, options.object);
  let last = runIn(machine, program, options);
  for (let i = 1; i < (options.repeat ?? 1) && last.fault === null; i++) last = runIn(machine, program, options);
  return { ...last, machine, maps: contents(machine, program) };
}

const defOf = (program: Program, name: string): MapDef => {
  const def = program.maps.find((map) => map.name === name);
  if (def !== undefined) return def;
  const known = program.maps.map((map) => map.name).join(', ');
  throw new Malformed(`program ${program.name} has no map '${name}'${known === '' ? '' : `: ${known}`}`);
};

function seed(machine: Machine, def: MapDef, content: unknown): void {
  const error = seedMap(machine.maps.of(def), content);
  if (error !== 0) throw new Malformed(`map ${def.name} does not take this content: ${errnoName(-error)}`);
}

function placeProgram(machine: Machine, program: Program, slot: ProgArraySlot, object: ObjectImage | undefined): void {
  const map = machine.maps.of(defOf(program, slot.map));
  const target = object?.programs.find(({ name }) => name === slot.program);
  if (target === undefined) throw new Malformed(`there is no program '${slot.program}' for a slot of map ${slot.map}`);
  if (!(map instanceof ProgArrayMap)) throw new Malformed(`map ${slot.map} is no program array`);
  const error = map.setProgram(slot.index, target);
  if (error !== 0) throw new Malformed(`map ${slot.map} has no slot ${slot.index}: ${errnoName(-error)}`);
}

/** What stands in the maps that exist; a map that no run has touched does not. */
function contents(machine: Machine, program: Program): Record<string, readonly DumpedEntry[]> {
  const known = new Set<MapDef>(program.maps);
  const dumped: Record<string, readonly DumpedEntry[]> = {};
  for (const map of machine.maps.all)
    if (known.has(map.def) || program.maps.some(({ name }) => name === map.name)) dumped[map.name] = dumpMap(map);
  return dumped;
}
