import fc from 'fast-check';
import { MAP_TYPES } from '../contracts/uapi_numbers.ts';
import type { Insn } from '../isa/insn.ts';
import { OPCODES } from '../isa/opcodes.ts';
import type { MapDef, ObjectImage, Program } from '../program/program.ts';
import type { Scalar } from '../verifier/scalar/scalar.ts';
import type { WorldText } from '../world/schema.ts';
import type { Dials } from './dials.ts';
import type { FuzzKernel } from './generate/kernel.ts';
import { generateObject } from './generate/object.ts';
import { generateProgram } from './generate/program.ts';
import { generateEntries, generateWorld, type MapEntry } from './generate/world.ts';
import { mutate } from './mutate.ts';
import { witness } from './oracle/domain.ts';
import { randomPacket } from './oracle/surroundings.ts';
import { Random } from './random.ts';
import { shrinkProgram } from './shrink.ts';

/** A generated program and the seed that it comes from. */
export interface SeededProgram {
  readonly seed: number;
  readonly program: Program;
}

const MAX_SEED = 0x7fffffff;

class ProgramArbitrary extends fc.Arbitrary<SeededProgram> {
  readonly #make: (seed: number) => Program;

  constructor(make: (seed: number) => Program) {
    super();
    this.#make = make;
  }

  override generate(mrng: fc.Random): fc.Value<SeededProgram> {
    const seed = mrng.nextInt(1, MAX_SEED);
    return new fc.Value({ seed, program: this.#make(seed) }, undefined);
  }

  override canShrinkWithoutContext(value: unknown): value is SeededProgram {
    return typeof value === 'object' && value !== null && 'program' in value;
  }

  override shrink({ seed, program }: SeededProgram): fc.Stream<fc.Value<SeededProgram>> {
    return fc.stream(shrinkProgram(program)).map((candidate) => new fc.Value({ seed, program: candidate }, undefined));
  }
}

/** Structured, mostly valid programs. Shrinking takes instructions out and makes constants smaller. */
export const programs = (kernel: FuzzKernel, dials: Partial<Dials> = {}): fc.Arbitrary<SeededProgram> =>
  new ProgramArbitrary((seed) => generateProgram(kernel, seed, dials));

/** The given programs with one to `changes` small changes. */
export const mutants = (of: readonly Program[], changes = 3): fc.Arbitrary<SeededProgram> =>
  new ProgramArbitrary((seed) => {
    const random = new Random(seed);
    return mutate(random, random.pick(of), random.between(1, changes));
  });

/** Any instruction of the table that programs may hold, with any operands. */
export const instructions = (): fc.Arbitrary<Insn> => {
  const register = fc.integer({ min: 0, max: 10 });
  const short = fc.oneof(fc.integer({ min: -64, max: 64 }), fc.integer({ min: -0x8000, max: 0x7fff }));
  const word = fc.oneof(fc.integer({ min: -300, max: 300 }), fc.integer());
  return fc
    .tuple(fc.constantFrom(...OPCODES.filter(({ origin }) => origin === 'user')), register, register, short, word)
    .map(([opcode, dst, src, off, imm]) => {
      const { selector } = opcode;
      const field = <T extends 'off' | 'imm' | 'src'>(name: T, role: string, value: number): number =>
        selector?.field === name ? selector.value : role === 'unused' ? 0 : value;
      return {
        code: opcode.code,
        dst: opcode.dst === 'unused' ? 0 : dst,
        src: field('src', opcode.src, src),
        off: field('off', opcode.off, off),
        imm: field('imm', opcode.imm, imm),
      };
    });
};

export interface Witnessed {
  readonly lo: number;
  readonly hi: number;
  readonly scalar: Scalar;
}

/** A 64-bit number in two halves, and what a verifier might know about it. */
export const witnessedScalars = (): fc.Arbitrary<Witnessed> => fc.integer().map((seed) => witness(new Random(seed)));

/** Objects of several programs that share maps, with BTF. */
export const objects = (kernel: FuzzKernel, dials: Partial<Dials> = {}): fc.Arbitrary<ObjectImage> =>
  fc.integer({ min: 1, max: MAX_SEED }).map((seed) => generateObject(kernel, seed, dials));

/** World files as data: processes, threads, descriptors and areas. JSON is YAML, so `JSON.stringify` makes a file of one. */
export const worlds = (): fc.Arbitrary<WorldText> => fc.integer().map((seed) => generateWorld(new Random(seed)));

/** What a map may hold, at most eight entries. */
export const mapEntries = (map: MapDef): fc.Arbitrary<readonly MapEntry[]> =>
  fc.integer().map((seed) => generateEntries(new Random(seed), map, ARRAYS.has(map.type)));

const ARRAYS: ReadonlySet<number> = new Set([MAP_TYPES.array, MAP_TYPES.percpu_array]);

/** Ethernet frames that a test run takes. */
export const packets = (): fc.Arbitrary<Uint8Array> => fc.integer().map((seed) => randomPacket(new Random(seed)));
