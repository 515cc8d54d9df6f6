import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BtfError } from '../../src/btf/error.ts';
import { loadInput } from '../../src/cli/inputs.ts';
import { Malformed } from '../../src/contracts/errors.ts';
import { verify } from '../../src/library/verify_program.ts';
import { cpuTime } from '../cpu_time.ts';
import { profile } from '../samples.ts';

const ROOT = join(import.meta.dirname, '../..');
const RUNS = Number(process.env['DRYBPF_HOSTILE_RUNS'] ?? 150);
/** What one input may take, with the time that a busy machine adds. */
const MAX_MILLISECONDS = 5000;
const LONGEST_MESSAGE = 1000;
const BUDGET = 20_000;

const contents = (folder: string, ending: string): Uint8Array[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .sort()
    .map((file) => new Uint8Array(readFileSync(join(ROOT, folder, file))));

const objects = [...contents('programs/c', '.o'), ...contents('test/elf/fixtures', '.o')];
const texts = contents('programs', '.bpf.s');

type Mutation = (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;

const at = (bytes: Uint8Array, place: number): number => Math.min(bytes.length - 1, Math.floor(place * bytes.length));
const place = fc.double({ min: 0, max: 1, noNaN: true });
const NASTY = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff];

/** Truncated, a byte changed, a word of a size or an offset made extreme, a part repeated or moved. */
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  {
    weight: 1,
    arbitrary: place.map(
      (end): Mutation =>
        (bytes) =>
          bytes.slice(0, at(bytes, end)),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(place, fc.nat(255)).map(
      ([where, value]): Mutation =>
        (bytes) => {
          const copy = bytes.slice();
          copy[at(copy, where)] = value;
          return copy;
        },
    ),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(place, fc.constantFrom(...NASTY), fc.boolean()).map(
      ([where, value, isHeader]): Mutation =>
        (bytes) => {
          const copy = bytes.slice();
          const room = isHeader ? copy.length - Math.min(copy.length, 4096) : 0;
          const start = room + Math.floor(((copy.length - room) * where) / 4) * 4;
          if (start + 4 <= copy.length) new DataView(copy.buffer).setUint32(start, value, true);
          return copy;
        },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(place, place, fc.nat(64)).map(
      ([from, to, size]): Mutation =>
        (bytes) => {
          const copy = bytes.slice();
          copy.copyWithin(at(copy, to), at(copy, from), at(copy, from) + size);
          return copy;
        },
    ),
  },
);

/** One clear line, or programs that each get a verdict. */
async function checkInput(bytes: Uint8Array): Promise<void> {
  const start = cpuTime();
  try {
    const image = await loadInput('hostile', bytes, { profile, presets: [], section: 'socket' });
    for (const program of image.programs) {
      try {
        verify(program, profile, { budget: BUDGET });
      } catch (error) {
        if (!(error instanceof BtfError)) throw error;
      }
    }
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    expect(error.message.split('\n').length).toBe(1);
    expect(error.message.length).toBeLessThan(LONGEST_MESSAGE);
  }
  expect(cpuTime() - start).toBeLessThan(MAX_MILLISECONDS);
}

const mutated = (originals: readonly Uint8Array[], mutations: fc.Arbitrary<Mutation>): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(fc.constantFrom(...originals), fc.array(mutations, { minLength: 1, maxLength: 4 }))
    .map(([original, changes]) => changes.reduce((bytes, change) => change(bytes), new Uint8Array(original)));

const textMutation: fc.Arbitrary<Mutation> = fc.oneof(
  mutation,
  fc
    .tuple(place, fc.constantFrom('{', '"', '.c {', '.map x hash', '\n', '((', 'goto', '-9999999999', '*(', '.btf {', '\0', 'é'))
    .map(
      ([where, text]): Mutation =>
        (bytes) => {
          const split = at(bytes, where);
          return new Uint8Array(Buffer.concat([bytes.subarray(0, split), Buffer.from(text), bytes.subarray(split)]));
        },
    ),
);

describe('hostile input gets one clear line or a verdict, in bounded time', () => {
  it('of objects', async () => {
    await fc.assert(fc.asyncProperty(mutated(objects, mutation), checkInput), { numRuns: RUNS });
  });

  it('of texts', async () => {
    await fc.assert(fc.asyncProperty(mutated(texts, textMutation), checkInput), { numRuns: RUNS });
  });

  it('of bytes without sense', async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 256 }), checkInput), { numRuns: RUNS });
  });
});
