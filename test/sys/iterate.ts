import { assemble } from '../../src/asm/assemble.ts';
import type { Program } from '../../src/program/program.ts';
import { iterCreate, type LinkCreate, linkCreate, progLoad } from '../../src/sys/iter_link.ts';
import type { Process } from '../../src/sys/process.ts';
import { System } from '../../src/sys/system.ts';
import { profileWith } from '../kernel/program.ts';

export interface Bench {
  readonly system: System;
  readonly process: Process;
}

/** A system with one process, 100, that makes the calls. */
export function bench(revisions: readonly string[] = [], options: ConstructorParameters<typeof System>[1] = {}): Bench {
  const system = new System(profileWith(...revisions), options);
  return { system, process: system.spawn(100, 'reader') };
}

export function programsOf({ system }: Bench, text: string): readonly Program[] {
  return assemble(text, 'sample.bpf.s', { profile: system.profile }).programs;
}

/** Loads a text's only program; its descriptor. */
export function load(on: Bench, text: string): number {
  const program = programsOf(on, text)[0]!;
  const fd = progLoad(on.process, program);
  if (fd >= 0) return fd;
  const done = on.system.load(program);
  throw new Error('refused' in done ? (done.refused.message ?? done.refused.unmodelled.join()) : `error ${fd}`);
}

/** Descriptor of an iterator over what `info` names. */
export function iterator(on: Bench, text: string, info: Uint8Array | null = null): number {
  const link = linkCreate(on.process, load(on, text), { info });
  if (link < 0) throw new Error(`link: ${link}`);
  const iter = iterCreate(on.process, link);
  if (iter < 0) throw new Error(`iterator: ${iter}`);
  return iter;
}

export const attach = (on: Bench, text: string, options: LinkCreate = {}): number =>
  linkCreate(on.process, load(on, text), options);

export const text = (bytes: Uint8Array | number): string | number =>
  typeof bytes === 'number' ? bytes : new TextDecoder().decode(bytes);

/** Everything that reads of a size give; the last element is an error number if one ended it. */
export function readAll({ process }: Bench, fd: number, size = 65536): (string | number)[] {
  const pieces: (string | number)[] = [];
  for (let turns = 0; turns < 100_000; turns++) {
    const bytes = process.read(fd, size);
    if (typeof bytes === 'number') return [...pieces, bytes];
    if (bytes.length === 0) return pieces;
    pieces.push(text(bytes));
  }
  throw new Error('the iterator does not end');
}

export const output = (on: Bench, fd: number, size?: number): string => readAll(on, fd, size).join('');

/** Programs print through a format string and up to three 64-bit values at fp-24. */
export const PRINT = (name: string, format: string): string =>
  `.rodata "char ${name}[${format.length + 1 - (format.match(/\\n/g)?.length ?? 0)}]" = "${format}"`;

/** Prints `count` words from fp-24 on; r6 is the context. */
export const printf = (format: string, length: number, count: number): string => `
  r1 = *(u64 *)(r6 + 0)
  r1 = *(u64 *)(r1 + 0)
  r2 = ${format} ll
  w3 = ${length}
  ${count === 0 ? 'r4 = 0' : 'r4 = r10; r4 += -24'}
  w5 = ${8 * count}
  call bpf_seq_printf
`;
