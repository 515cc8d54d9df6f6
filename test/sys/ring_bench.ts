import { readFileSync } from 'node:fs';
import { assemble } from '../../src/asm/assemble.ts';
import type { IoRing } from '../../src/kernel/io_uring.ts';
import { areaFlags } from '../../src/kernel/objects/mm.ts';
import { ioUringSetup, ringOf, ringParams } from '../../src/sys/io_uring_calls.ts';
import { iterCreate, linkCreate, linkInfo, progLoad } from '../../src/sys/iter_link.ts';
import { type Bench, bench } from './iterate.ts';

export const readSample = (name: string): string => readFileSync(new URL(`../../programs/${name}`, import.meta.url), 'utf8');

/** Loads a sample; its descriptor. */
export function loadSample(on: Bench, name: string): number {
  const program = assemble(readSample(name), name, { profile: on.system.profile }).programs[0]!;
  const fd = progLoad(on.process, program);
  if (fd >= 0) return fd;
  const done = on.system.load(program);
  throw new Error('refused' in done ? (done.refused.message ?? done.refused.unmodelled.join()) : String(fd));
}

export interface RingBench extends Bench {
  readonly ringFd: number;
  readonly ring: IoRing;
}

/** A process with a ring of one entry. */
export function ringBench(...revisions: string[]): RingBench {
  const on = bench(revisions);
  const ringFd = ioUringSetup(on.process, 1, ringParams());
  return { ...on, ringFd, ring: ringOf(on.process, ringFd)! };
}

/** Maps anonymous shared memory of the reader. */
export function mapMemory({ process }: Bench, start: number, length: number): void {
  const end = start + Math.ceil(length / 4096) * 4096;
  process.task.mm!.add({ start, end, flags: areaFlags('rw-s')! });
  process.task.mm!.memory.map(start, end - start);
}

/** An iterator of a sample over a descriptor; the link is closed again unless it is asked for. */
export function over(on: Bench, sample: string, fd: number): { link: number; iter: number } {
  const link = linkCreate(on.process, loadSample(on, sample), { info: linkInfo(fd) });
  if (link < 0) return { link, iter: link };
  return { link, iter: iterCreate(on.process, link) };
}
