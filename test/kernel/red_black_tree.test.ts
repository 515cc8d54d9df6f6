import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GuestMemory } from '../../src/kernel/memory.ts';
import { clearNode, RB_NODE_BYTES, RB_ROOT_BYTES, RedBlackTree } from '../../src/kernel/red_black_tree.ts';

const DATA = RB_NODE_BYTES;

class Bench {
  readonly memory = new GuestMemory({ limit: 1 << 20 });
  readonly tree = new RedBlackTree(this.memory, this.memory.allocate(RB_ROOT_BYTES, { what: 'root' }));
  readonly nodes: number[] = [];

  add(data: number): number {
    const node = this.memory.allocate(RB_NODE_BYTES + 8, { what: 'node' });
    clearNode(this.memory, node);
    this.memory.storeI32(node + DATA, data);
    this.tree.add(node, (other) => data < this.data(other));
    this.nodes.push(node);
    return node;
  }

  remove(index: number): void {
    const [node] = this.nodes.splice(index, 1);
    this.tree.remove(node!);
    expect(this.tree.owner(node!)).toBe(0);
  }

  data(node: number): number {
    return this.memory.loadI32(node + DATA);
  }

  /** Numbers in order; throws where the tree is not one of Linux's. */
  walk(node = this.tree.top, parent = 0): { numbers: number[]; blacks: number } {
    if (node === 0) return { numbers: [], blacks: 1 };
    const word = this.memory.loadU32(node);
    const isBlack = (word & 1) === 1;
    expect(word & ~1, 'parent').toBe(parent | 0);
    if (parent === 0) expect(isBlack, 'the top is black').toBe(true);
    else if (!isBlack) expect(this.memory.loadU32(parent) & 1, 'no red below red').toBe(1);
    const left = this.walk(this.tree.left(node), node);
    const right = this.walk(this.tree.right(node), node);
    expect(left.blacks, 'as many blacks on every way').toBe(right.blacks);
    return { numbers: [...left.numbers, this.data(node), ...right.numbers], blacks: left.blacks + (isBlack ? 1 : 0) };
  }
}

describe('a red-black tree', () => {
  it('keeps its order and its balance', () => {
    const step = fc.oneof(fc.record({ add: fc.integer({ min: 0, max: 20 }) }), fc.record({ remove: fc.nat({ max: 30 }) }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const bench = new Bench();
        for (const one of steps) {
          if ('add' in one) bench.add(one.add);
          else if (bench.nodes.length > 0) bench.remove(one.remove % bench.nodes.length);
          const { numbers } = bench.walk();
          expect(numbers).toEqual(bench.nodes.map((node) => bench.data(node)).sort((a, b) => a - b));
          expect(bench.tree.first === 0 ? undefined : bench.data(bench.tree.first)).toBe(numbers[0]);
        }
        bench.memory.release();
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    [[1, 2, 3], [], 'children first', [1, 3, 2]],
    [[1, 2, 3, 4, 5, 6, 7, 8], [], 'children first', [1, 3, 2, 5, 8, 7, 6, 4]],
    [[1, 2, 3, 4, 5, 6, 7, 8], [3], 'a successor takes the place of a node with two children', [1, 3, 2, 6, 8, 7, 5]],
  ])('%j without the nodes at %j is emptied %s', (numbers, gone, _rule, expected) => {
    const bench = new Bench();
    for (const number of numbers) bench.add(number);
    for (const index of gone) bench.remove(index);
    expect(bench.tree.drain().map((node) => bench.data(node))).toEqual(expected);
    expect([bench.tree.top, bench.tree.first]).toEqual([0, 0]);
  });
});
