import { Malformed } from '../contracts/errors.ts';
import type { Profile } from '../contracts/profile.ts';
import type { RevisedEntry, Revision } from '../contracts/revision.ts';
import { BPF_PSEUDO_KFUNC_CALL } from '../isa/constants.ts';
import { REVISED_ENTRIES, readRevisions, withRevisions } from '../profiles/revisions.ts';
import type { ExpectedCase, Situation } from '../program/expected_case.ts';
import type { ObjectImage, Program } from '../program/program.ts';
import { isHelperCall } from '../verifier/program/subprogs.ts';
import { type Observation, observe, type Scene } from './observe.ts';
import { programNamed, type SampleSource, sampleImage, scenesOf } from './sample.ts';

/** One sample under every revision of an entry. */
export interface Comparison {
  readonly object: string;
  readonly program: string;
  readonly entry: RevisedEntry;
  /** oldest first */
  readonly columns: readonly Column[];
  readonly scenes: readonly ComparedScene[];
}

export interface Column {
  readonly revision: Revision;
  /** what the kernel has of itself */
  readonly isBase: boolean;
  /** `NAME=REVISION` texts that bring it about, those of other entries included */
  readonly revisions: readonly string[];
}

export interface ComparedScene {
  readonly name: string;
  /** file of the world; null for one without anything */
  readonly world: string | null;
  /** one for each column */
  readonly seen: readonly Observation[];
}

export interface CompareOptions {
  /** names of entries; default: those that the sample's cases name, else those that the program uses */
  readonly entries?: readonly string[];
  /** name of the program; needed where the sample has several */
  readonly program?: string;
  /** instead of the situations of the sample's cases */
  readonly situation?: Situation;
  /** `NAME=REVISION` of other entries, in every column */
  readonly revisions?: readonly string[];
}

const entryNamed = (name: string): RevisedEntry => {
  const entry = REVISED_ENTRIES.get(name);
  if (entry !== undefined) return entry;
  throw new Malformed(`no entry '${name}' has revisions: ${[...REVISED_ENTRIES.keys()].join(', ')}`);
};

const nameOf = (text: string): string => text.split('=')[0]!;

/** Lists of `NAME=REVISION` that the cases of a program name, without the empty one. */
const listsOf = (cases: readonly ExpectedCase[]): readonly (readonly string[])[] =>
  cases.flatMap(({ runs }) =>
    runs.flatMap(({ revisions }) => revisions.filter((list) => list !== '').map((list) => list.split(','))),
  );

/** Whether a program calls or walks what an entry has revisions of. */
function uses(program: Program, image: ObjectImage, profile: Profile, { revisions }: RevisedEntry): boolean {
  const externs = new Set((image.externs ?? []).map(({ name }) => name));
  const helperIds = new Set(program.insns.filter((insn) => insn !== undefined && isHelperCall(insn)).map(({ imm }) => imm));
  const kfuncNames = new Set(
    program.insns
      .filter((insn) => insn !== undefined && isKfuncCall(insn.src, insn.code))
      .map(({ imm }) => profile.btf.typeOrUndefined(imm))
      .map((type) => (type?.kind === 'FUNC' ? type.name : '')),
  );
  return revisions.some(
    ({ helpers = [], kfuncs = [], iterTargets = [] }) =>
      helpers.some(({ id, name }) => helperIds.has(id) || externs.has(name)) ||
      kfuncs.some(({ name }) => kfuncNames.has(name) || externs.has(name)) ||
      iterTargets.some(({ name }) => new RegExp(`^iter(\\.s)?/${name}$`).test(program.section)),
  );
}

const CALL = 0x85;
const isKfuncCall = (src: number, code: number): boolean => code === CALL && src === BPF_PSEUDO_KFUNC_CALL;

/** The entries that a sample is about: those of its cases that have something to compare; else those that it uses. */
function chosenEntries(
  program: Program,
  image: ObjectImage,
  profile: Profile,
  cases: readonly ExpectedCase[],
): readonly RevisedEntry[] {
  const named = new Set(listsOf(cases).flat().map(nameOf));
  const ofCases = [...named].map(entryNamed);
  const found =
    ofCases.length > 0 ? ofCases : [...REVISED_ENTRIES.values()].filter((entry) => uses(program, image, profile, entry));
  const several = found.filter(({ revisions }) => revisions.length > 1);
  return several.length > 0 ? several : found;
}

/** What else has to be there for a revision: as the cases of the sample have it, or as the caller wants it. */
function companions(
  entry: RevisedEntry,
  own: string,
  cases: readonly ExpectedCase[],
  wanted: readonly string[],
): readonly string[] {
  const lists = listsOf(cases);
  const withOwn =
    lists.find((list) => list.includes(own)) ?? lists.find((list) => list.some((text) => nameOf(text) === entry.name));
  const given = new Set(wanted.map(nameOf));
  const others = (withOwn ?? []).filter((text) => nameOf(text) !== entry.name && !given.has(nameOf(text)));
  return [...wanted.filter((text) => nameOf(text) !== entry.name), ...others];
}

function columnsOf(entry: RevisedEntry, cases: readonly ExpectedCase[], wanted: readonly string[]): readonly Column[] {
  return entry.revisions.map((revision) => {
    const own = `${entry.name}=${revision.name}`;
    return { revision, isBase: revision.name === entry.base, revisions: [...companions(entry, own, cases, wanted), own] };
  });
}

interface NamedScene {
  readonly name: string;
  readonly world: string | null;
  readonly scene: Scene;
}

const NOWHERE: Situation = { world: null, over: [], through: null, closesLink: false, readSizes: [] };

/** Each case once; reads of other sizes show nothing that the first size does not show. */
function scenesToCompare(source: SampleSource, cases: readonly ExpectedCase[], situation: Situation | undefined): NamedScene[] {
  const situations = situation !== undefined ? [] : cases;
  if (situations.length > 0) {
    return situations.map((each) => ({
      name: each.name,
      world: each.situation.world,
      scene: scenesOf(source, each.situation)[0]!,
    }));
  }
  const only = situation ?? NOWHERE;
  return [{ name: only.world ?? 'an empty world', world: only.world, scene: scenesOf(source, only)[0]! }];
}

function programOf(image: ObjectImage, name: string | undefined): Program {
  if (name !== undefined) return programNamed(image, name);
  const [program] = image.programs;
  if (program !== undefined && image.programs.length === 1) return program;
  const names = image.programs.map((each) => each.name).join(', ');
  throw new Malformed(`which program? ${names}`, image.name);
}

/**
 * Runs a sample under every revision of the entries that it is about, in every situation that its cases name. Throws `Malformed`
 * for what cannot be compared.
 */
export function compare(source: SampleSource, profile: Profile, options: CompareOptions = {}): readonly Comparison[] {
  const { revisions: wanted = [], situation } = options;
  readRevisions(wanted);
  const image = sampleImage(source, profile);
  const program = programOf(image, options.program);
  const cases = image.cases?.get(program.name) ?? [];
  const entries = options.entries?.length ? options.entries.map(entryNamed) : chosenEntries(program, image, profile, cases);
  if (entries.length === 0) {
    throw new Malformed(
      `${program.name} uses nothing that has revisions: ${[...REVISED_ENTRIES.keys()].join(', ')}`,
      source.name,
    );
  }
  const scenes = scenesToCompare(source, cases, situation);
  return entries.map((entry): Comparison => {
    const columns = columnsOf(entry, cases, wanted);
    const under = columns.map(({ revisions }) => {
      const revised = withRevisions(profile, revisions);
      const own = sampleImage(source, revised);
      return { revised, own, program: programNamed(own, program.name) };
    });
    return {
      object: source.name,
      program: program.name,
      entry,
      columns,
      scenes: scenes.map(({ name, world, scene }) => ({
        name,
        world,
        seen: under.map((each) => observe(each.own, each.program, each.revised, scene)),
      })),
    };
  });
}
