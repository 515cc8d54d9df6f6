import type { HostMemory } from '../contracts/host_memory.ts';

/**
 * Trees that programs keep, in guest memory; balanced the way Linux balances them, as programs can see their shape. Source: struct
 * rb_node and rb_root_cached, include/linux/rbtree_types.h; struct bpf_rb_node_kern, include/linux/bpf.h; lib/rbtree.c.
 *
 *     root   0 top node    8 leftmost node
 *     node   0 parent, with bit 0 set when black    8 right    16 left    24 the root of its tree, NULL outside of one
 */
const LEFTMOST = 8;
const OWNER = 24;
const BLACK = 1;

export const RB_ROOT_BYTES = 16;
export const RB_NODE_BYTES = 32;

type Side = 8 | 16;
const RIGHT: Side = 8;
const LEFT: Side = 16;
const opposite = (side: Side): Side => (side === LEFT ? RIGHT : LEFT);

/** One tree; nodes are offsets, 0 for none. */
export class RedBlackTree {
  readonly #memory: HostMemory;
  readonly root: number;

  constructor(memory: HostMemory, root: number) {
    this.#memory = memory;
    this.root = root;
  }

  get top(): number {
    return this.#memory.loadU32(this.root);
  }

  get first(): number {
    return this.#memory.loadU32(this.root + LEFTMOST);
  }

  owner(node: number): number {
    return this.#memory.loadU32(node + OWNER);
  }

  left(node: number): number {
    return this.#memory.loadU32(node + LEFT);
  }

  right(node: number): number {
    return this.#memory.loadU32(node + RIGHT);
  }

  /** Inserts a node that is in no tree; `less` says whether it belongs before another one. */
  add(node: number, less: (other: number) => boolean): void {
    let parent = 0;
    let side: Side = LEFT;
    let isLeftmost = true;
    for (let at = this.top; at !== 0; at = this.#child(at, side)) {
      parent = at;
      side = less(at) ? LEFT : RIGHT;
      if (side === RIGHT) isLeftmost = false;
    }
    this.#setChild(node, LEFT, 0);
    this.#setChild(node, RIGHT, 0);
    this.#setParent(node, parent, false);
    this.#store(parent === 0 ? this.root : parent + side, node);
    if (isLeftmost) this.#store(this.root + LEFTMOST, node);
    this.#balanceInsert(node);
    this.#store(node + OWNER, this.root);
  }

  /** Takes a node of this tree out. */
  remove(node: number): void {
    if (this.first === node) this.#store(this.root + LEFTMOST, this.#next(node));
    this.#erase(node);
    clearNode(this.#memory, node);
    this.#store(node + OWNER, 0);
  }

  /** Empties the tree; the nodes that were in it, children before parents. */
  drain(): number[] {
    const nodes: number[] = [];
    const work = [this.top];
    for (let node = work.pop(); node !== undefined; node = work.pop()) {
      if (node === 0) continue;
      nodes.push(node);
      work.push(this.left(node), this.right(node));
    }
    this.#store(this.root, 0);
    this.#store(this.root + LEFTMOST, 0);
    return nodes.reverse();
  }

  #store(at: number, node: number): void {
    this.#memory.store64(at, node, node === 0 ? 0 : this.#memory.high);
  }

  #child(node: number, side: Side): number {
    return this.#memory.loadU32(node + side);
  }

  #setChild(node: number, side: Side, child: number): void {
    this.#store(node + side, child);
  }

  #parent(node: number): number {
    return (this.#memory.loadU32(node) & ~3) >>> 0;
  }

  #isBlack(node: number): boolean {
    return node === 0 || (this.#memory.loadU32(node) & BLACK) !== 0;
  }

  #setParent(node: number, parent: number, black: boolean): void {
    this.#memory.store64(node, parent | (black ? BLACK : 0), parent === 0 ? 0 : this.#memory.high);
  }

  #paint(node: number, black: boolean): void {
    this.#setParent(node, this.#parent(node), black);
  }

  /** Puts `child` where `node` was below `parent`, or at the top. */
  #replace(parent: number, node: number, child: number): void {
    if (parent === 0) this.#store(this.root, child);
    else this.#setChild(parent, this.left(parent) === node ? LEFT : RIGHT, child);
  }

  /** The child on the other side comes up, and `node` goes down to `side`. */
  #rotate(node: number, side: Side): void {
    const up = this.#child(node, opposite(side));
    const inner = this.#child(up, side);
    const parent = this.#parent(node);
    this.#setChild(node, opposite(side), inner);
    if (inner !== 0) this.#setParent(inner, node, this.#isBlack(inner));
    this.#replace(parent, node, up);
    this.#setParent(up, parent, this.#isBlack(up));
    this.#setChild(up, side, node);
    this.#setParent(node, up, this.#isBlack(node));
  }

  /** A red node has no red parent: repaint upwards, then at most two rotations. */
  #balanceInsert(inserted: number): void {
    let node = inserted;
    for (let parent = this.#parent(node); !this.#isBlack(parent); parent = this.#parent(node)) {
      const grandparent = this.#parent(parent);
      const side = this.left(grandparent) === parent ? LEFT : RIGHT;
      const uncle = this.#child(grandparent, opposite(side));
      if (!this.#isBlack(uncle)) {
        this.#paint(uncle, true);
        this.#paint(parent, true);
        this.#paint(grandparent, false);
        node = grandparent;
        continue;
      }
      if (this.#child(parent, opposite(side)) === node) {
        this.#rotate(parent, side);
        node = parent;
        parent = this.#parent(node);
      }
      this.#paint(parent, true);
      this.#paint(grandparent, false);
      this.#rotate(grandparent, opposite(side));
    }
    this.#paint(this.top, true);
  }

  /** A node with two children gives its place and colour to its successor. */
  #erase(node: number): void {
    const left = this.left(node);
    const right = this.right(node);
    const parent = this.#parent(node);
    if (left === 0 || right === 0) {
      const child = left === 0 ? right : left;
      this.#replace(parent, node, child);
      this.#closeGap(child, parent, this.#isBlack(node));
      return;
    }
    let successor = right;
    while (this.left(successor) !== 0) successor = this.left(successor);
    const lostBlack = this.#isBlack(successor);
    const child = this.right(successor);
    let gapParent = successor;
    if (successor !== right) {
      gapParent = this.#parent(successor);
      this.#setChild(gapParent, LEFT, child);
      this.#setChild(successor, RIGHT, right);
      this.#setParent(right, successor, this.#isBlack(right));
    }
    this.#setChild(successor, LEFT, left);
    this.#setParent(left, successor, this.#isBlack(left));
    this.#replace(parent, node, successor);
    this.#setParent(successor, parent, this.#isBlack(node));
    this.#closeGap(child, gapParent, lostBlack);
  }

  /** `child` (0: none) stands below `parent` where a node was taken out; if that was black, a black one is missing here. */
  #closeGap(child: number, parent: number, lostBlack: boolean): void {
    if (child !== 0) this.#setParent(child, parent, lostBlack || this.#isBlack(child));
    else if (lostBlack && parent !== 0) this.#balanceErase(parent);
  }

  /** Every path has as many black nodes; one is missing below `parent`, where its child is gone. */
  #balanceErase(start: number): void {
    let node = 0;
    let parent = start;
    while (parent !== 0) {
      const side = this.left(parent) === node ? LEFT : RIGHT;
      const other = opposite(side);
      let sibling = this.#child(parent, other);
      if (!this.#isBlack(sibling)) {
        this.#paint(sibling, true);
        this.#paint(parent, false);
        this.#rotate(parent, side);
        sibling = this.#child(parent, other);
      }
      if (this.#isBlack(this.#child(sibling, side)) && this.#isBlack(this.#child(sibling, other))) {
        this.#paint(sibling, false);
        const wasBlack = this.#isBlack(parent);
        this.#paint(parent, true);
        if (!wasBlack) return;
        node = parent;
        parent = this.#parent(node);
        continue;
      }
      if (this.#isBlack(this.#child(sibling, other))) {
        this.#paint(this.#child(sibling, side), true);
        this.#paint(sibling, false);
        this.#rotate(sibling, other);
        sibling = this.#child(parent, other);
      }
      this.#paint(sibling, this.#isBlack(parent));
      this.#paint(parent, true);
      this.#paint(this.#child(sibling, other), true);
      this.#rotate(parent, side);
      return;
    }
  }

  #next(node: number): number {
    let at = this.right(node);
    if (at !== 0) {
      while (this.left(at) !== 0) at = this.left(at);
      return at;
    }
    at = node;
    let parent = this.#parent(at);
    while (parent !== 0 && this.right(parent) === at) {
      at = parent;
      parent = this.#parent(at);
    }
    return parent;
  }
}

/** RB_CLEAR_NODE: a node outside of a tree is its own parent. */
export const clearNode = (memory: HostMemory, node: number): void => memory.store64(node, node, memory.high);
