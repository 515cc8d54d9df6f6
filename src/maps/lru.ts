/**
 * Which element of an LRU map goes when room is needed: the kernel's two lists with reference bits, the free and pending lists
 * of each CPU, and the batches in which nodes move between them. Source: kernel/bpf/bpf_lru_list.c.
 *
 *     free ── pop in batches ──> local free (CPU) ──> local pending (CPU) ── flush ──> inactive <──> active
 *       ^                                                                                 │
 *       └───────────────────────────────── evicted, not referenced ───────────────────────┘
 */
export interface LruNode {
  ref: boolean;
  list: LruList | null;
  previous: LruNode | null;
  next: LruNode | null;
  cpu: number;
}

const LOCAL_FREE_TARGET = 128;
const PERCPU_FREE_TARGET = 4;

/** A doubly linked list; `first` is the newest. */
class LruList {
  first: LruNode | null = null;
  last: LruNode | null = null;
  count = 0;

  addFirst(node: LruNode): void {
    node.list = this;
    node.previous = null;
    node.next = this.first;
    if (this.first === null) this.last = node;
    else this.first.previous = node;
    this.first = node;
    this.count++;
  }

  remove(node: LruNode): void {
    if (node.previous === null) this.first = node.next;
    else node.previous.next = node.next;
    if (node.next === null) this.last = node.previous;
    else node.next.previous = node.previous;
    node.list = null;
    node.previous = null;
    node.next = null;
    this.count--;
  }
}

/** Nodes that are free, of which most have never existed: they are made when they are first taken. */
class FreeNodes extends LruList {
  unborn: number;
  readonly #make: () => LruNode | null;

  constructor(unborn: number, make: () => LruNode | null) {
    super();
    this.unborn = unborn;
    this.#make = make;
  }

  get isEmpty(): boolean {
    return this.first === null && this.unborn === 0;
  }

  take(): LruNode | null {
    const node = this.first;
    if (node !== null) {
      this.remove(node);
      return node;
    }
    if (this.unborn === 0) return null;
    const made = this.#make();
    if (made !== null) this.unborn--;
    return made;
  }
}

/** struct bpf_lru_list: what is shared by all CPUs, or owned by one. */
class Lists {
  readonly active = new LruList();
  readonly inactive = new LruList();
  readonly free: FreeNodes;
  readonly #scans: number;
  readonly #evict: (node: LruNode) => void;
  /** null is the head of the inactive list */
  #rotation: LruNode | null = null;

  constructor(free: FreeNodes, scans: number, evict: (node: LruNode) => void) {
    this.free = free;
    this.#scans = scans;
    this.#evict = evict;
  }

  move(node: LruNode, to: LruList): void {
    this.#leave(node);
    node.ref = false;
    to.addFirst(node);
  }

  rotate(): void {
    if (this.inactive.count < this.active.count) this.#rotateActive();
    this.#rotateInactive();
  }

  /** Evicts up to `target` nodes into a free list. */
  shrink(target: number, into: LruList): void {
    let done = 0;
    let scanned = 0;
    for (let node = this.inactive.last; node !== null; ) {
      const previous = node.previous;
      if (node.ref) this.move(node, this.active);
      else {
        this.#evictInto(node, into);
        if (++done === target) break;
      }
      if (++scanned === this.#scans) break;
      node = previous;
    }
    if (done > 0) return;
    const victim = this.inactive.last ?? this.active.last;
    if (victim !== null) this.#evictInto(victim, into);
  }

  #evictInto(node: LruNode, into: LruList): void {
    this.#evict(node);
    this.#leave(node);
    into.addFirst(node);
  }

  #leave(node: LruNode): void {
    if (node === this.#rotation) this.#rotation = node.previous;
    node.list?.remove(node);
  }

  #rotateActive(): void {
    const stop = this.active.first;
    let scanned = 0;
    for (let node = this.active.last; node !== null; ) {
      const previous: LruNode | null = node.previous;
      this.move(node, node.ref ? this.active : this.inactive);
      if (++scanned === this.#scans || node === stop) break;
      node = previous;
    }
  }

  /** Walks the inactive list as a ring, from where it stopped last time; the head of the ring is null. */
  #rotateInactive(): void {
    const { inactive } = this;
    if (inactive.count === 0) return;
    const behind = this.#rotation === null ? inactive.first : this.#rotation.next;
    const last = behind ?? inactive.first;
    let current = this.#rotation;
    let next: LruNode | null = null;
    let scanned = 0;
    while (scanned < this.#scans) {
      if (current === null) {
        current = inactive.last;
        if (current === null) break;
        continue;
      }
      next = current.previous;
      const isLast = current === last;
      if (current.ref) this.move(current, this.active);
      if (isLast) break;
      current = next;
      scanned++;
    }
    this.#rotation = next;
  }
}

interface Local {
  readonly free: LruList;
  readonly pending: LruList;
  nextSteal: number;
}

/** The nodes of one map. `make` builds a node (null: no memory), `evict` takes the element of a node out of the table. */
export class Lru {
  readonly #perCpu: boolean;
  readonly #lists: readonly Lists[];
  readonly #locals: readonly Local[];
  readonly #targetFree: number;
  readonly #evict: (node: LruNode) => void;

  constructor(perCpu: boolean, entries: number, cpuCount: number, make: () => LruNode | null, evict: (node: LruNode) => void) {
    this.#perCpu = perCpu;
    this.#evict = evict;
    const scans = perCpu ? PERCPU_FREE_TARGET : LOCAL_FREE_TARGET;
    const owners = perCpu ? cpuCount : 1;
    const share = Math.floor(entries / owners);
    this.#lists = Array.from({ length: owners }, () => new Lists(new FreeNodes(share, make), scans, evict));
    this.#locals = Array.from({ length: perCpu ? 0 : cpuCount }, (_, cpu) => ({
      free: new LruList(),
      pending: new LruList(),
      nextSteal: cpu,
    }));
    this.#targetFree = Math.min(Math.max(Math.floor(Math.floor(entries / cpuCount) / 2), 1), LOCAL_FREE_TARGET);
  }

  /** A node for a new element; null when none can be had. Source: bpf_lru_pop_free. */
  take(cpu: number): LruNode | null {
    if (this.#perCpu) return this.#takePerCpu(cpu);
    const local = this.#locals[cpu]!;
    let node = takeFirst(local.free);
    if (node === null) {
      this.#refill(local);
      node = takeFirst(local.free);
    }
    node ??= this.#steal(local);
    if (node !== null) {
      node.cpu = cpu;
      node.ref = false;
      local.pending.addFirst(node);
    }
    return node;
  }

  /** Source: bpf_lru_push_free. */
  giveBack(node: LruNode): void {
    if (this.#perCpu) {
      const lists = this.#lists[node.cpu]!;
      lists.move(node, lists.free);
      return;
    }
    const local = this.#locals[node.cpu]!;
    if (node.list === local.pending) {
      local.pending.remove(node);
      node.ref = false;
      local.free.addFirst(node);
      return;
    }
    const lists = this.#lists[0]!;
    lists.move(node, lists.free);
  }

  #takePerCpu(cpu: number): LruNode | null {
    const lists = this.#lists[cpu]!;
    lists.rotate();
    if (lists.free.isEmpty) lists.shrink(PERCPU_FREE_TARGET, lists.free);
    const node = lists.free.take();
    if (node === null) return null;
    node.cpu = cpu;
    node.ref = false;
    lists.inactive.addFirst(node);
    return node;
  }

  /** Source: bpf_lru_list_pop_free_to_local. */
  #refill(local: Local): void {
    const lists = this.#lists[0]!;
    for (let node = local.pending.last; node !== null; ) {
      const previous: LruNode | null = node.previous;
      const to = node.ref ? lists.active : lists.inactive;
      local.pending.remove(node);
      node.ref = false;
      to.addFirst(node);
      node = previous;
    }
    lists.rotate();
    let moved = 0;
    while (moved < this.#targetFree) {
      const node = lists.free.take();
      if (node === null) break;
      local.free.addFirst(node);
      moved++;
    }
    if (moved < this.#targetFree) lists.shrink(this.#targetFree - moved, local.free);
  }

  #steal(local: Local): LruNode | null {
    const first = local.nextSteal;
    let from = first;
    let node: LruNode | null = null;
    do {
      const victim = this.#locals[from]!;
      node = takeFirst(victim.free) ?? this.#takePending(victim);
      from = (from + 1) % this.#locals.length;
    } while (node === null && from !== first);
    local.nextSteal = from;
    return node;
  }

  #takePending(local: Local): LruNode | null {
    let node = local.pending.last;
    while (node?.ref === true) node = node.previous;
    node ??= local.pending.last;
    if (node === null) return null;
    this.#evict(node);
    local.pending.remove(node);
    return node;
  }
}

const takeFirst = (list: LruList): LruNode | null => {
  const node = list.first;
  if (node !== null) list.remove(node);
  return node;
};
