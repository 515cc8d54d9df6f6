import { describe, expect, it } from 'vitest';
import { runKernelText } from '../../kernel/program.ts';
import { allocate, drop, func, lookup, OUT, tc } from '../../verifier/objects/prelude.ts';
import { print } from './print.ts';

const EINVAL = -22;
const HEAD = 8;
const ROOT = 24;
const LESS = func(
  'static bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b)',
  'r0 = 0; r3 = *(u32 *)(r1 + 36); r4 = *(u32 *)(r2 + 36); if r3 >= r4 goto over; r0 = 1; over: exit',
);

const locked = (text: string): string => `r1 = r6; call bpf_spin_lock; ${text}; r1 = r6; call bpf_spin_unlock`;
const withGraph = (text: string): string =>
  tc(`${lookup('graphs', 'r6')}; ${text}; ${OUT}`, text.includes('less ll') ? LESS : '');
const printed = (text: string): string => runKernelText(withGraph(text)).printk.join(' ');

/** Puts a new item with this number into the list. */
const push = (end: 'front' | 'back', data: number): string => `
  ${allocate('item', 'r7')}; *(u32 *)(r7 + 24) = ${data}
  ${locked(`r1 = r6; r1 += ${HEAD}; r2 = r7; r3 = 0; r4 = 0; call bpf_list_push_${end}_impl`)}`;

/** Takes an item out and prints its number; 0 when there is none. */
const pop = (end: 'front' | 'back', label: string): string => `
  ${locked(`r1 = r6; r1 += ${HEAD}; call bpf_list_pop_${end}; r7 = r0`)}
  r8 = 0
  if r7 == 0 goto ${label}
  r8 = *(u32 *)(r7 + 24)
  ${drop('r7')}
  ${label}: ${print('r8')}`;

const pops = (end: 'front' | 'back', count: number): string =>
  Array.from({ length: count }, (_, i) => pop(end, `${end}${i}`)).join('\n');

describe('a list', () => {
  it.each([
    ['is empty at first', [], pops('front', 1), '0'],
    ['gives the front first', [push('front', 1), push('front', 2), push('back', 3)], pops('front', 4), '2 1 3 0'],
    ['gives the back first', [push('front', 1), push('front', 2), push('back', 3)], pops('back', 4), '3 1 2 0'],
    ['may be emptied and filled', [push('back', 1), pops('back', 2), push('back', 2)], pops('front', 2), '1 0 2 0'],
  ])('%s', (_rule, before, after, expected) => {
    expect(printed([...before, after].join('\n'))).toBe(expected);
  });

  it.each([
    ['front', '2'],
    ['back', '1'],
  ])('shows its %s and keeps it', (end, expected) => {
    const peek = `${locked(`r1 = r6; r1 += ${HEAD}; call bpf_list_${end}; r8 = 0; if r0 == 0 goto none; r8 = *(u32 *)(r0 + 24); none: r7 = 0`)}
      ${print('r8')}`;
    expect(printed(`${push('front', 1)}; ${push('front', 2)}; ${peek}; ${pops('front', 2)}`)).toBe(`${expected} 2 1`);
  });

  it('shows nothing while it is empty', () => {
    const peek = `${locked(`r1 = r6; r1 += ${HEAD}; call bpf_list_front; r8 = 1; if r0 == 0 goto none; r8 = 2; none: r7 = 0`)}; ${print('r8')}`;
    expect(printed(peek)).toBe('1');
  });
});

/** Puts a new node with this number into the tree. */
const add = (data: number): string => `
  ${allocate('node', 'r7')}; *(u32 *)(r7 + 60) = ${data}
  ${locked(`r1 = r6; r1 += ${ROOT}; r2 = r7; r2 += 24; r3 = less ll; r4 = 0; r5 = 24; call bpf_rbtree_add_impl`)}`;

/** Takes the first node of the tree out and prints its number; 0 when there is none. */
const takeFirst = (label: string): string => `
  ${locked(`r1 = r6; r1 += ${ROOT}; call bpf_rbtree_first; r7 = 0; if r0 == 0 goto ${label}
    r1 = r6; r1 += ${ROOT}; r2 = r0; call bpf_rbtree_remove; r7 = r0; ${label}: r0 = 0`)}
  r8 = 0
  if r7 == 0 goto ${label}end
  r8 = *(u32 *)(r7 + 36)
  r7 += -24
  ${drop('r7')}
  ${label}end: ${print('r8')}`;

const takeAll = (count: number): string => Array.from({ length: count }, (_, i) => takeFirst(`t${i}`)).join('\n');

/** Prints a node that is reached from the top by a way such as `root left right`. */
const look = (way: string, label: string): string => {
  const [, ...steps] = way.split(' ');
  const walk = steps.map((step) => `r2 = r0; r1 = r6; r1 += ${ROOT}; call bpf_rbtree_${step}; r8 = 0; if r0 == 0 goto ${label}`);
  return `${locked(`r1 = r6; r1 += ${ROOT}; call bpf_rbtree_root; r8 = 0; if r0 == 0 goto ${label}
    ${walk.join('\n')}
    r8 = *(u32 *)(r0 + 36); ${label}: r0 = 0`)}; ${print('r8')}`;
};

describe('a tree', () => {
  it.each([
    ['is empty at first', [], 1, '0'],
    ['is in order', [5, 3, 8, 1, 4, 7, 9, 2, 6], 10, '1 2 3 4 5 6 7 8 9 0'],
    ['is in order however it was filled', [1, 2, 3, 4, 5, 6, 7], 8, '1 2 3 4 5 6 7 0'],
    ['keeps equals', [2, 1, 2], 4, '1 2 2 0'],
  ])('%s', (_rule, numbers, count, expected) => {
    expect(printed([...numbers.map(add), takeAll(count)].join('\n'))).toBe(expected);
  });

  it('is balanced as Linux balances it', () => {
    const ways = ['root', 'root left', 'root right', 'root left left', 'root right right', 'root right right right'];
    const text = [...[1, 2, 3, 4, 5, 6].map(add), ...ways.map((way, i) => look(way, `way${i}`))].join('\n');
    expect(printed(text)).toBe('2 1 4 0 5 6');
  });
});

const object = (text: string): string => withGraph(`${allocate('node', 'r7')}; ${text}`);
const acquire = 'r1 = r7; r2 = 0; call bpf_refcount_acquire_impl; r9 = r0';
const addNode = (from: string): string =>
  locked(`r1 = r6; r1 += ${ROOT}; r2 = ${from}; r2 += 24; r3 = less ll; r4 = 0; r5 = 24; call bpf_rbtree_add_impl; r8 = r0`);

describe('an object that is counted', () => {
  it('is refused where it stands already, and the reference is dropped', () => {
    const text = object(`${acquire}; ${addNode('r7')}; ${print('r8')}; ${addNode('r9')}; ${print('r8')}`);
    const run = runKernelText(text);
    expect(run.printk).toEqual(['0', String(EINVAL)]);
  });

  it('goes away with its last reference', () => {
    const text = object(
      `*(u32 *)(r7 + 60) = 7; ${acquire}; ${drop('r7')}; r8 = *(u32 *)(r9 + 60); ${print('r8')}; ${drop('r9')}`,
    );
    const { printk, machine } = runKernelText(text);
    expect(printk).toEqual(['7']);
    expect([...machine.memory.live()].filter(({ what }) => what === 'struct node')).toEqual([]);
  });
});

describe('objects that a map owns', () => {
  const objects = (machine: ReturnType<typeof runKernelText>['machine']) =>
    [...machine.memory.live()].filter(({ what }) => /^struct (item|node)$/.test(what)).length;

  it('go away with the value', () => {
    const { machine } = runKernelText(withGraph([push('back', 1), push('back', 2), add(3), add(4)].join('\n')));
    expect(objects(machine)).toBe(4);
    const map = machine.maps.named('graphs')!;
    expect(map.userUpdate(new Uint8Array(4), new Uint8Array(map.valueSize))).toBe(0);
    machine.advance(1n);
    expect(objects(machine)).toBe(0);
  });
});
