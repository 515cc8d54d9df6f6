import { load, type Scenario, type Step, u32s, u64s } from '../steps.ts';

/** The read loop of seq-file iterators: buffers, partial reads, overflow, retries, sessions; and links. */

const KEY = '00000000';
const BUFFER = 32768;

/** Keeps a value of the first element of a map in a register, or leaves. */
const value = (map: string, register: string): string => `
    w1 = 0; *(u32 *)(r10 - 52) = w1
    r1 = ${map} ll; r2 = r10; r2 += -52; call bpf_map_lookup_elem
    if r0 == 0 goto out
    ${register} = r0`;

/**
 * Each element says how many bytes it writes, and whether the program answers 1: bit 0 at its first visit, bit 1 always. `out`
 * gets the number of runs and their sequence numbers, 1000 more where there is no element. The last run writes `config` bytes.
 */
const elements = (type: string, entries: number, name = 'show'): string => `
  .license "GPL"
  .map items ${type} key_size=4 value_size=8 max_entries=${entries}
  .map config array key_size=4 value_size=8 max_entries=1
  .map blob array key_size=4 value_size=65536 max_entries=1
  .map out array key_size=4 value_size=256 max_entries=1
  .section "iter/bpf_map_elem"
  .program ${name}
    r6 = r1
    r1 = items ll
    ${value('config', 'r7')}
    ${value('blob', 'r9')}
    ${value('out', 'r8')}
    r1 = *(u64 *)(r6 + 0)
    r3 = *(u64 *)(r1 + 16)
    r2 = *(u64 *)(r6 + 24)
    if r2 != 0 goto count
    r3 += 1000
  count:
    r1 = *(u64 *)(r8 + 0)
    r4 = r1; r4 += 1; *(u64 *)(r8 + 0) = r4
    if r1 > 30 goto counted
    r1 <<= 3
    r8 += r1
    *(u64 *)(r8 + 8) = r3
  counted:
    if r2 != 0 goto element
    r3 = *(u64 *)(r7 + 0)
    r8 = 0
    goto write
  element:
    r3 = *(u32 *)(r2 + 0)
    r8 = *(u32 *)(r2 + 4)
    if r8 != 1 goto write
    r1 = 0
    *(u32 *)(r2 + 4) = r1
  write:
    r3 &= 65535
    r1 = *(u64 *)(r6 + 0); r1 = *(u64 *)(r1 + 0)
    r2 = r9; call bpf_seq_write
    if r8 == 0 goto out
    r0 = 1
    exit
  out: r0 = 0
    exit`;

const TEXT = Array.from({ length: 64 }, (_, i) => (0x41 + (i % 26)).toString(16)).join('');

/** `items` are lengths, or lengths with what the program answers. */
const fill = (items: readonly (number | readonly [length: number, answer: number])[], atEnd = 0): Step[] => [
  { do: 'update', map: 'blob', key: KEY, value: TEXT.padEnd(2 * 65536, '2e') },
  { do: 'update', map: 'config', key: KEY, value: u64s(atEnd) },
  ...items.map(
    (item, index): Step => ({
      do: 'update',
      map: 'items',
      key: u32s(index),
      value: typeof item === 'number' ? u32s(item, 0) : u32s(...item),
    }),
  ),
];

const open = (iter = 'iter', link = 'link'): Step[] => [{ do: 'iter', link, iter }];
const attach = (prog = 'show', link = 'link', map = 'items'): Step[] => [{ do: 'attach', prog, link, info: [map] }];
const reads = (count: number, size: number, iter = 'iter'): Step[] =>
  Array.from({ length: count }, (): Step => ({ do: 'read', iter, size }));
const told: Step = { do: 'lookup', map: 'out', key: KEY, size: 256 };

function walk(
  name: string,
  items: readonly (number | readonly [length: number, answer: number])[],
  steps: readonly Step[],
  atEnd = 0,
): Scenario {
  return {
    name,
    text: elements('array', items.length),
    steps: [...load('show'), ...fill(items, atEnd), ...attach(), ...open(), ...steps, told],
  };
}

const loop: readonly Scenario[] = [
  walk('three objects', [10, 10, 10], reads(3, 4096), 4),
  walk(
    'three objects, a byte at a time',
    [10, 10, 10],
    [...reads(3, 1), told, ...reads(8, 1), told, { do: 'read', iter: 'iter', size: 1, all: true }],
    4,
  ),
  walk('three objects, in pieces of 7', [10, 10, 10], reads(7, 7), 4),
  walk('reads of no bytes', [10, 10], [...reads(2, 0), ...reads(2, 4096)], 4),
  {
    name: 'no object',
    text: elements('hash', 4),
    steps: [...load('show'), ...fill([], 4), ...attach(), ...open(), ...reads(2, 4096), told],
  },
  walk('objects that write nothing', [0, 0, 0, 0], reads(2, 4096)),
  walk('two objects that fill a buffer each', [BUFFER - 8, BUFFER - 8], reads(4, 65536)),
  walk('two objects that fill a buffer each, in pages', [BUFFER - 8, BUFFER - 8], reads(18, 4096)),
  walk('an object as large as the buffer can take', [BUFFER - 1, 1], reads(4, 65536)),
  walk('an object that is too large', [BUFFER, 1], reads(3, 65536)),
  walk('an object that is too large behind one that is not', [10, BUFFER, 10], reads(4, 65536)),
  walk('an end that does not fit', [BUFFER - 4], reads(4, 65536), 8),
  walk('an end that is too large', [10], reads(4, 65536), BUFFER),
  walk('a first object that is tried again', [[10, 1], 10], reads(4, 65536), 4),
  walk('a second object that is tried again', [10, [10, 1], 10], reads(4, 65536), 4),
  walk('an object that is never done', [10, [10, 2], 10], reads(4, 65536)),
  walk('the last object is tried again', [10, 10, [10, 1]], reads(5, 4096), 4),
  {
    name: 'two files of one link, and a program that is changed between them',
    text: `${elements('array', 3)}
  .program other
    r6 = r1
    r2 = *(u64 *)(r6 + 24)
    if r2 == 0 goto done
    *(u32 *)(r10 - 8) = 0x3a
    r1 = *(u64 *)(r6 + 0)
    r7 = *(u64 *)(r1 + 8)
    r1 = *(u64 *)(r1 + 0)
    r2 = r10; r2 += -8; w3 = 1; call bpf_seq_write
  done: r0 = 0
    exit`,
    steps: [
      ...load('show', 'other'),
      ...fill([3, 3, 3], 1),
      ...attach(),
      ...open('first'),
      ...reads(1, 2, 'first'),
      { do: 'relink', link: 'link', prog: 'other' },
      { do: 'relink', link: 'link', prog: 'other', old: 'show' },
      { do: 'relink', link: 'link', prog: 'other', old: 'other' },
      ...open('second'),
      { do: 'read', iter: 'second', size: 100, all: true },
      { do: 'read', iter: 'first', size: 100, all: true },
      { do: 'close', fd: 'link' },
      { do: 'read', iter: 'first', size: 100 },
      told,
    ],
  },
];

/** What BPF_LINK_CREATE checks, and what a link tells. */
const links: Scenario = {
  name: 'links',
  text: `${elements('array', 3)}
  .map wide array key_size=4 value_size=4 max_entries=1
  .map queue queue key_size=0 value_size=8 max_entries=4
  .section "iter/task"
  .program task
    r0 = 0
    exit
  .section "iter/bpf_map"
  .program maps
    r1 = wide ll
    r1 = queue ll
    r0 = 0
    exit
  .section "raw_tp/sys_enter"
  .program raw
    r0 = 0
    exit`,
  steps: [
    ...load('show', 'task', 'maps', 'raw'),
    { do: 'attach', prog: 'show', link: 'a' },
    { do: 'attach', prog: 'show', link: 'a', info: [0] },
    { do: 'attach', prog: 'show', link: 'a', info: [9999] },
    { do: 'attach', prog: 'show', link: 'a', info: ['task'] },
    { do: 'attach', prog: 'show', link: 'a', info: ['wide'] },
    { do: 'attach', prog: 'show', link: 'a', info: ['queue'] },
    { do: 'attach', prog: 'show', link: 'a', info: ['items'], infoLength: 0 },
    { do: 'attach', prog: 'show', link: 'a', infoLength: 4 },
    { do: 'attach', prog: 'show', link: 'a', info: ['items'], infoLength: 5000 },
    { do: 'attach', prog: 'show', link: 'a', info: ['items', 0, 0, 0, 0, 0] },
    { do: 'attach', prog: 'show', link: 'b', info: ['items', 0, 0, 0, 1] },
    { do: 'attach', prog: 'show', link: 'b', info: ['items'], targetFd: 1 },
    { do: 'attach', prog: 'show', link: 'b', info: ['items'], flags: 1 },
    { do: 'attach', prog: 'show', link: 'b', info: ['items'], attachType: 27 },
    { do: 'attach', prog: 'raw', link: 'b' },
    { do: 'attach', prog: 'nothing', link: 'b' },
    { do: 'attach', prog: 'items', link: 'b' },
    { do: 'attach', prog: 'show', link: 'link', info: ['items'] },
    { do: 'info', link: 'link', room: 64 },
    { do: 'info', link: 'link', room: 0 },
    { do: 'info', link: 'link', room: 4 },
    { do: 'info', link: 'link', room: 12 },
    { do: 'info', link: 'link', room: 13 },
    { do: 'fdinfo', fd: 'link' },
    { do: 'detach', link: 'link' },
    { do: 'iter', link: 'link', iter: 'iter', flags: 1 },
    { do: 'iter', link: 'show', iter: 'iter' },
    { do: 'iter', link: 'nothing', iter: 'iter' },
    { do: 'relink', link: 'link', prog: 'task' },
    { do: 'relink', link: 'link', prog: 'raw' },
    { do: 'relink', link: 'link', prog: 'nothing' },
    { do: 'relink', link: 'show', prog: 'show' },
    { do: 'attach', prog: 'task', link: 'all' },
    { do: 'attach', prog: 'task', link: 'two', info: [2] },
    { do: 'attach', prog: 'task', link: 'group', info: [0, 2] },
    { do: 'attach', prog: 'task', link: 'bad', info: [2, 2] },
    { do: 'attach', prog: 'task', link: 'bad', info: [0, 0, 9999] },
    { do: 'attach', prog: 'task', link: 'bad', info: [0, 0, 'items'] },
    ...['all', 'two', 'group'].flatMap((link): Step[] => [
      { do: 'info', link, room: 64 },
      { do: 'fdinfo', fd: link },
    ]),
    { do: 'attach', prog: 'maps', link: 'maps_link', info: [7] },
    { do: 'fdinfo', fd: 'maps_link' },
    { do: 'info', link: 'maps_link', room: 64 },
  ],
};

export const seqFile: readonly Scenario[] = [...loop, links];
