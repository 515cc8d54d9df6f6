import type { MapDef } from '../../program/program.ts';
import type { WorldText } from '../../world/schema.ts';
import type { Random } from '../random.ts';

const COMMS = ['init', 'sh', 'worker', 'a-name-of-15-byt', 'x'] as const;
const PAGE = 4096;
const PERMS = ['r-xp', 'rw-p', 'r--p', 'rw-s', '---p'] as const;
const FILES = [
  { path: '/tmp/log', flags: 1 },
  { device: '/dev/null' },
  { tty: '/dev/pts/0' },
  { path: '/tmp/gone', unlinked: true },
] as const;
const FIRST_AREA = 0x400000;
const COMM_BYTES = 15;

const areas = (random: Random): string[] => {
  const lines: string[] = [];
  let at = FIRST_AREA;
  for (let i = random.below(5); i > 0; i--) {
    at += PAGE * random.below(16);
    const end = at + PAGE * random.between(1, 64);
    const where = random.pick(['00:00 0', '00:00 0 [heap]', '08:01 1001 /usr/bin/worker', '08:01 1002 /usr/lib/libc.so']);
    lines.push(`${at.toString(16)}-${end.toString(16)} ${random.pick(PERMS)} 00000000 ${where}`);
    at = end;
  }
  return lines;
};

const files = (random: Random): NonNullable<NonNullable<WorldText['tasks']>[number]['files']> =>
  Object.fromEntries(Array.from({ length: random.below(4) }, (_, fd) => [String(fd), { ...random.pick(FILES) }]));

/** The world of some random numbers: processes with threads, descriptors and areas, in trees and cgroups. */
export function generateWorld(random: Random): WorldText {
  const tasks: NonNullable<WorldText['tasks']> = [];
  let pid = 1;
  for (let i = random.between(1, 6); i > 0; i--) {
    const parent = tasks.length > 0 && random.chance(0.7) ? random.pick(tasks).pid : 0;
    const kthread = random.chance(0.1);
    const leader = pid;
    const threads = Array.from({ length: kthread ? 0 : random.below(3) }, () => ({
      tid: ++pid,
      comm: random.pick(COMMS).slice(0, COMM_BYTES),
    }));
    tasks.push({
      pid: leader,
      comm: random.pick(COMMS).slice(0, COMM_BYTES),
      parent,
      uid: random.pick([0, 1000]),
      kthread,
      cgroup: random.pick(['/', '/user', '/user/session']),
      maps: kthread ? [] : areas(random),
      files: kthread ? {} : files(random),
      threads,
    });
    pid += random.between(1, 100);
  }
  return {
    machine: { cpus: random.pick([1, 2, 4]), seed: random.below(1000) },
    current: random.pick(tasks).pid,
    interrupts: random.pick(['on', 'on', 'off', 'nmi'] as const),
    tasks,
  };
}

export interface MapEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Entries for a map; keys of array maps lie within it. */
export function generateEntries(random: Random, def: MapDef, isArray: boolean): MapEntry[] {
  const bytes = (length: number): Uint8Array =>
    Uint8Array.from({ length }, () => random.pick([0, 1, 0x7f, 0xff, random.below(256)]));
  return Array.from({ length: random.below(Math.min(def.maxEntries, 8) + 1) }, () => {
    const key = bytes(def.keySize);
    if (isArray && def.keySize === 4) new DataView(key.buffer).setUint32(0, random.below(def.maxEntries), true);
    return { key, value: bytes(def.valueSize) };
  });
}
