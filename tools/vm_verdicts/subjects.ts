import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { assemble } from '../../src/asm/assemble.ts';
import { Malformed } from '../../src/contracts/errors.ts';
import type { Profile } from '../../src/contracts/profile.ts';
import { loadObject } from '../../src/elf/load.ts';
import type { ObjectImage, Program } from '../../src/program/program.ts';
import { PAIRINGS, type Pairing } from './targets.ts';

/** A program whose verdict is asked for, by a name that says what it attaches to where its section does not. */
export interface Subject {
  readonly name: string;
  readonly program: Program;
}

/** The objects of the kernel's own tests, where there are any. */
export const SUITE = join(process.env['KERNEL_SUITE_DIR'] ?? join(homedir(), '.cache/kernel-suite'), 'obj/selftests');
export const hasSuite = (): boolean => existsSync(SUITE);

const OWN = new URL('../../test/golden/vm_6_12/programs/', import.meta.url);

/** Program types whose load this project's recording machine refuses by policy. */
const SECTION = /^\??(fentry|fexit|fmod_ret|lsm|lsm_cgroup|freplace)(\.s)?(\/|$)/;

/** What the loader says of a program that attaches to another BPF program. */
const NO_TARGET = /no BTF-based attach target|attach program FD is not set|failed to find kernel BTF type ID of/;

/** The object, or null for one that libbpf would not open. */
function readObject(name: string, profile: Profile): ObjectImage | null {
  try {
    return loadObject(new Uint8Array(readFileSync(join(SUITE, name))), name, { profile });
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

function attached(program: Program, target: ObjectImage, { targetProgram, func }: Pairing): Program {
  const fn = target.btf?.findByName(func, 'FUNC');
  const replaced = target.programs.find(({ name }) => name === targetProgram);
  if (fn === undefined || replaced === undefined)
    throw new Error(`${target.name} has no ${targetProgram} with a function ${func}`);
  const loadError = program.loadError !== null && NO_TARGET.test(program.loadError) ? null : program.loadError;
  return { ...program, attach: { name: func, btfId: fn.id, program: replaced }, loadError };
}

/** Programs of the kernel's own tests, relocated against the profile's BTF. */
export function suiteSubjects(profile: Profile): Subject[] {
  const images = new Map<string, ObjectImage | null>();
  const image = (name: string): ObjectImage | null => {
    let found = images.get(name);
    if (found === undefined) images.set(name, (found = readObject(name, profile)));
    return found;
  };
  const subjects: Subject[] = [];
  for (const object of readdirSync(SUITE)
    .filter((name) => name.endsWith('.o'))
    .sort()) {
    for (const program of image(object)?.programs ?? []) {
      if (!SECTION.test(program.section)) continue;
      const pairings = PAIRINGS.filter((pairing) => pairing.object === object && pairing.program === program.name);
      if (pairings.length === 0) subjects.push({ name: `${object}/${program.name}`, program });
      for (const pairing of pairings) {
        const { targetObject, targetProgram, func } = pairing;
        const name = `${object}/${program.name} -> ${targetObject}/${targetProgram}:${func}`;
        const target = image(targetObject);
        if (target === null) throw new Error(`${targetObject} cannot be opened`);
        subjects.push({ name, program: attached(program, target, pairing) });
      }
    }
  }
  return subjects;
}

/** A program attaches to the function that its section names, of the first program beside it that has one. */
function paired(program: Program, image: ObjectImage): Program {
  const func = /^\w+\/(.+)$/.exec(program.section)?.[1];
  const fn = func === undefined ? undefined : image.btf?.findByName(func, 'FUNC');
  const target = image.programs.find((other) => other !== program && other.funcInfo.some(({ typeId }) => typeId === fn?.id));
  if (fn === undefined || target === undefined) return program;
  return { ...program, attach: { name: fn.name, btfId: fn.id, program: target }, loadError: null };
}

/** Programs of this repository, one rule each. */
export function ownSubjects(profile: Profile): Subject[] {
  return readdirSync(OWN)
    .filter((name) => name.endsWith('.bpf.s'))
    .sort()
    .flatMap((file) => {
      const image = assemble(readFileSync(new URL(file, OWN), 'utf8'), file, { profile });
      return image.programs
        .filter(({ section }) => SECTION.test(section))
        .map((program) => ({ name: `${file}/${program.name}`, program: paired(program, image) }));
    });
}
