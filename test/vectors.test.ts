import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const RING = ['helpers/user_ringbuf.test.ts', 'sys/user_ring_buffer.test.ts', 'sys/ring_protocol.test.ts'];
const numbered = (section: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${section} #${i + 1}`);
const named = (section: string, ...names: string[]): string[] => names.map((name) => `${section} ${name}`);

/**
 * What the systems of the seed documents are known to do, by topic: the proposal's and the kernel's own tests, and what follows
 * from the algorithms. Each stands in the name of the tests that show it, in every revision in which it differs.
 */
const VECTORS: readonly (readonly [topic: string, files: readonly string[], vectors: readonly string[]])[] = [
  [
    "the kernel's tests of ring buffers of user space",
    [...RING, 'verifier/call/user_ringbuf_callback.test.ts'],
    named(
      'A.9',
      ...['mappings', 'post_misaligned', 'wrong_offset', 'larger_than_ringbuf', 'basic', 'full ring sample'],
      ...['alignment autoadjust', 'overfill', 'discards ignored', 'loop', 'protocol', 'blocking reserve', 'negative'],
    ),
  ],
  [
    'open-coded iterators over numbers, tasks, groups, bits',
    ['kfuncs/run/num.test.ts', 'kfuncs/run/tasks.test.ts', 'kfuncs/run/bits.test.ts'],
    named('C.7', 'num', 'task', 'css', 'css_task', 'bits'),
  ],
  [
    "the proposal's tests of iterators over rings and epoll sets",
    ['sys/io_uring_iter.test.ts', 'sys/epoll.test.ts', 'helpers/print_btf.test.ts'],
    named('D.10', 'io_uring_buf', 'io_uring_file', 'epoll', 'btf_dump'),
  ],
  ['drains of ring buffers of user space', RING, numbered('I.1', 21)],
  ['reads of seq files', ['sys/seq_read.test.ts'], numbered('I.2', 9)],
  ['iterators over rings', ['sys/io_uring_iter.test.ts'], numbered('I.3', 9)],
  ['the iterator over epoll sets', ['sys/epoll.test.ts'], numbered('I.4', 5)],
  ['what the verifier asks of open-coded iterators', ['kfuncs/run/num.test.ts'], numbered('I.5', 13)],
  ['the open-coded iterator over memory areas', ['kfuncs/run/task_vma.test.ts'], numbered('I.6', 9)],
];

const textOf = (file: string): string => readFileSync(join(import.meta.dirname, file), 'utf8');
const names = (vector: string): RegExp => new RegExp(`['\`][^'\`\\n]*\\b${vector.replace(/[.#]/g, '\\$&')}(?!\\d)`);

it.each(VECTORS)('%s: every vector has its test', (_topic, files, vectors) => {
  const texts = files.map(textOf);
  expect(vectors.filter((vector) => !texts.some((text) => names(vector).test(text)))).toEqual([]);
});

it('tests name no vector that the table does not have', () => {
  const known = VECTORS.flatMap(([, , vectors]) => vectors);
  const found = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts') && file !== 'vectors.test.ts')
    .flatMap((file) => [...textOf(file).matchAll(/\b(I\.[1-6] #\d+)/g)].map(([, vector]) => vector!));
  expect([...new Set(found)].filter((vector) => !known.includes(vector)).sort()).toEqual([]);
});
