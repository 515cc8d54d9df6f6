import { Btf } from '../btf/btf.ts';
import { Malformed } from '../contracts/errors.ts';
import type { Profile } from '../contracts/profile.ts';
import type { TargetProgram } from '../elf/attach.ts';
import { isProfileName, PROFILE_NAMES, profileOver } from '../profiles/open.ts';
import type { ObjectImage, Program } from '../program/program.ts';
import { openBundledProfile } from './bundled_kernel.ts';
import type { CommonOptions } from './common_options.ts';
import { UsageError } from './exit.ts';
import { isWanted } from './filter.ts';
import { type LoadChoices, loadInput, objectName, readInput } from './inputs.ts';

/** What the common options ask for: a kernel, a way to load inputs, and which programs are wanted. */
export interface Question {
  readonly profile: Profile;
  readonly load: (path: string) => Promise<ObjectImage>;
  readonly isWanted: (path: string, program: Program) => boolean;
}

/** Reads what the common options name. Throws `UsageError` and `Malformed`. */
export async function readQuestion(options: CommonOptions): Promise<Question> {
  const profile = await openKernel(options);
  const presets = options.preset.length === 0 ? [] : await readPresets(options.preset);
  const choices: LoadChoices = { profile, presets, section: options.section };
  const target = options.target === undefined ? undefined : await readTarget(options.target, choices);
  return {
    profile,
    load: (path) => loadInput(path, readInput(path), { ...choices, target }),
    isWanted: (path, program) =>
      (options.prog.length === 0 || options.prog.includes(program.name)) &&
      isWanted(options.filter, objectName(path), program.name),
  };
}

async function readPresets(texts: readonly string[]): Promise<LoadChoices['presets']> {
  const { parsePreset } = await import('../elf/presets.ts');
  return texts.map(parsePreset);
}

/** The kernel that the options name, with its entries in the revisions that they name. */
export async function openKernel({
  kernel,
  btf,
  with: revisions,
}: Pick<CommonOptions, 'kernel' | 'btf' | 'with'>): Promise<Profile> {
  if (!isProfileName(kernel)) throw new UsageError(`no kernel '${kernel}': ${PROFILE_NAMES.join(', ')}`);
  const profile = btf === undefined ? openBundledProfile(kernel) : profileOver(kernel, await readBtf(btf));
  if (revisions.length === 0) return profile;
  const { withRevisions } = await import('../profiles/revisions.ts');
  return withRevisions(profile, revisions);
}

async function readBtf(path: string): Promise<Btf> {
  const bytes = readInput(path);
  const { BtfError } = await import('../btf/error.ts');
  try {
    return Btf.parse(bytes);
  } catch (error) {
    if (error instanceof BtfError) throw new Malformed(`no BTF: ${error.message}`, path);
    throw error;
  }
}

async function readTarget(text: string, choices: LoadChoices): Promise<TargetProgram> {
  const colon = text.lastIndexOf(':');
  if (colon <= 0 || colon === text.length - 1) throw new UsageError(`--target is OBJECT:FUNC, not '${text}'`);
  const path = text.slice(0, colon);
  const image = await loadInput(path, readInput(path), { ...choices, presets: [] });
  return { image, func: text.slice(colon + 1) };
}
