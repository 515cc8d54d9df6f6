import { readFileSync } from 'node:fs';
import { assemble } from '../../src/asm/assemble.ts';
import type { Profile } from '../../src/contracts/profile.ts';
import { type IterateOver, iterate } from '../../src/desk/iterate.ts';
import { textOfBytes } from '../../src/kernel/text.ts';
import type { ObjectImage } from '../../src/program/program.ts';
import type { System } from '../../src/sys/system.ts';
import { openWorld } from '../../src/world/build.ts';
import { mapLines, snapshotOf, snapshotText, taskName } from '../../src/world/snapshot.ts';
import { type Capture, isZombie, type ProcessText, type ProcFiles, type ThreadText } from '../../src/world/snapshot_capture.ts';

/** Whether iterators over a world say what /proc said of the tasks that it was made of. */

export type WalkName = 'tasks' | 'files' | 'maps' | 'walk_maps';
const WALKS: readonly WalkName[] = ['tasks', 'files', 'maps', 'walk_maps'];

/** A line that /proc has and the iterator has not, or the other way round; null where there is none. */
export interface Mismatch {
  readonly pid: number;
  readonly walk: WalkName;
  readonly line: number;
  readonly proc: string | null;
  readonly iterator: string | null;
}

export interface Check {
  readonly processes: number;
  readonly threads: number;
  readonly descriptors: number;
  readonly areas: number;
  /** lines that were compared */
  readonly lines: number;
  readonly mismatches: readonly Mismatch[];
  /** went on changing while they were read */
  readonly changed: readonly number[];
  /** what could not be read and so was not compared */
  readonly unread: readonly string[];
}

const statusField = ({ status }: ThreadText, key: string): string => new RegExp(`^${key}:\\t(.*)$`, 'm').exec(status)?.[1] ?? '';

/** The name as status has it: `\\n` for a newline, `\\\\` for a backslash (proc_task_name). */
const nameOf = (thread: ThreadText): string => {
  const isKernelName = taskName(thread) !== thread.comm;
  const name = statusField(thread, 'Name').replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
  return isKernelName ? taskName(thread) : name;
};

const taskLines = ({ threads }: ProcessText): string[] => [
  'tgid pid comm',
  ...threads.map((thread) => `${statusField(thread, 'Tgid')} ${statusField(thread, 'Pid')} ${nameOf(thread)}`),
];

const fileLines = ({ pid, threads }: ProcessText): string[] =>
  threads.flatMap(({ tid, descriptors }) => (descriptors ?? []).map(({ fd, target }) => `${pid} ${tid} ${fd} ${target}`));

/** A line of maps as d_path and the fields of the area give it: descriptions in brackets are names of no file. */
function areaLine(line: string): string {
  const [, fields, name = ''] = /^(\S+ \S+ \S+ \S+ \d+)(?:\s+([\s\S]*))?$/.exec(line) ?? [];
  const file = name.startsWith('[anon_shmem:') ? '/dev/zero (deleted)' : name.startsWith('[') ? '' : name;
  return `${fields} ${file.replaceAll('\\012', '\n')}`;
}

const areaLines = ({ maps }: ProcessText): string[] =>
  mapLines(maps ?? '')
    .filter((line) => !line.endsWith('[vsyscall]'))
    .map(areaLine);

/** Threads that the targets of files and areas visit: those that do not share the descriptors of the first. */
const visited = ({ threads }: ProcessText): ThreadText[] =>
  threads.filter((thread, index) => (index === 0 || thread.descriptors !== null) && !(index === 0 && isZombie(thread)));

function expected(process: ProcessText, walk: WalkName): string[] {
  const areas = areaLines(process);
  switch (walk) {
    case 'tasks':
      return taskLines(process);
    case 'files':
      return fileLines(process);
    case 'maps':
      return visited(process).flatMap(({ tid }) => areas.map((line) => `${tid} ${line}`));
    case 'walk_maps': {
      const [leader] = process.threads;
      const hasMemory = areas.length > 0 && !isZombie(leader!);
      return hasMemory ? areas.map((line) => `${process.pid} ${line}`) : [`${process.pid} no areas: -2`];
    }
    default:
      return walk satisfies never;
  }
}

/** Areas that one run of the open-coded walk shows: they fit into the buffer of the file with the longest of names. */
const AREAS_AT_ONCE = 7;
const KEY = new Uint8Array(4);

class Walker {
  readonly #system: System;
  readonly #images = new Map<WalkName, ObjectImage>();

  constructor(system: System, profile: Profile) {
    this.#system = system;
    for (const name of WALKS) {
      const file = `${name}.bpf.s`;
      const text = readFileSync(new URL(`../../programs/task_iter/${file}`, import.meta.url), 'utf8');
      this.#images.set(name, assemble(text, file, { profile }));
    }
  }

  output(walk: WalkName, pid: number): string {
    return walk === 'walk_maps' ? this.#inPieces(pid) : this.#read(walk, { pid });
  }

  #read(walk: WalkName, over: IterateOver): string {
    const image = this.#images.get(walk)!;
    const result = iterate(this.#system, image.programs[0]!, image, over);
    if (!('pieces' in result) || result.error !== null) throw new Error(`${walk}: ${JSON.stringify(result)}`);
    return textOfBytes(Buffer.concat(result.pieces));
  }

  /** The walk goes on from the address that the program left behind. */
  #inPieces(tid: number): string {
    const image = this.#images.get('walk_maps')!;
    const range = this.#system.map(image.maps.find(({ name }) => name === 'range')!);
    let text = '';
    for (let address = 0n; ; ) {
      range.userUpdate(KEY, new Uint8Array(BigUint64Array.of(address, BigInt(AREAS_AT_ONCE)).buffer));
      text += this.#read('walk_maps', { tid });
      const left = range.userLookup(KEY) as Uint8Array;
      address = new DataView(left.buffer, left.byteOffset).getBigUint64(0, true);
      if (address === 0n) return text;
    }
  }
}

function compare(pid: number, walk: WalkName, proc: readonly string[], iterator: readonly string[]): Mismatch[] {
  const found: Mismatch[] = [];
  for (let line = 0; line < Math.max(proc.length, iterator.length); line++) {
    if (proc[line] !== iterator[line])
      found.push({ pid, walk, line, proc: proc[line] ?? null, iterator: iterator[line] ?? null });
  }
  return found;
}

const linesOf = (text: string): string[] => text.split('\n').slice(0, -1);

/** Makes a world of the captures, walks over it, and compares with the text that was captured. */
export function checkSnapshot(captures: readonly Capture[], files: ProcFiles, profile: Profile): Check {
  const { system } = openWorld(snapshotText(snapshotOf(captures, files)), 'snapshot.yaml', profile);
  const walker = new Walker(system, profile);
  const mismatches: Mismatch[] = [];
  let lines = 0;
  for (const { process } of captures) {
    for (const walk of WALKS) {
      const readsMaps = walk === 'maps' || walk === 'walk_maps';
      if (readsMaps && process.maps === null) continue;
      const wanted = linesOf(
        expected(process, walk)
          .map((line) => `${line}\n`)
          .join(''),
      );
      mismatches.push(...compare(process.pid, walk, wanted, linesOf(walker.output(walk, process.pid))));
      lines += wanted.length;
    }
  }
  const all = captures.map(({ process }) => process);
  const sum = (count: (process: ProcessText) => number): number => all.reduce((total, process) => total + count(process), 0);
  return {
    processes: all.length,
    threads: sum(({ threads }) => threads.length),
    descriptors: sum((process) => fileLines(process).length),
    areas: sum((process) => areaLines(process).length),
    lines,
    mismatches,
    changed: captures.filter(({ isStable }) => !isStable).map(({ process }) => process.pid),
    unread: captures.flatMap(({ unread }) => unread),
  };
}
