import { BPF_GRAPH_NODE, FIELD_BITS, type FieldRecord } from '../btf/special.ts';
import { Fault } from '../contracts/errors.ts';
import type { PartKey } from '../contracts/host_call.ts';

/** An object that a program has allocated (bpf_obj_new, bpf_percpu_obj_new). */
export interface LocalObject {
  /** low half of its address: its offset, or that of a `__percpu` pointer */
  readonly lo: number;
  readonly what: string;
  readonly record: FieldRecord | null;
  readonly isPercpu: boolean;
  /** references that the program has in its registers and on its stack, as opposed to those of maps, lists and trees */
  held: number;
  /** nobody refers to it any more; readers of this RCU section may still see it */
  isDead: boolean;
}

/** The objects that programs have allocated, and who owns them. */
export class LocalObjects {
  readonly #objects = new Map<number, LocalObject>();
  /** by the offset of each list or tree node in them */
  readonly #byNode = new Map<number, LocalObject>();
  readonly #held = new Set<LocalObject>();

  /** Takes a new object in, which the program owns. */
  add(lo: number, what: string, record: FieldRecord | null, isPercpu: boolean): LocalObject {
    const object: LocalObject = { lo, what, record, isPercpu, held: 0, isDead: false };
    this.#objects.set(lo, object);
    for (const node of nodesOf(object)) this.#byNode.set(node, object);
    this.hold(object);
    return object;
  }

  /** The object that begins there. */
  at(lo: number): LocalObject | undefined {
    return this.#objects.get(lo >>> 0);
  }

  /** The object that begins there, dead or alive; a `Fault` without. */
  need(lo: number): LocalObject {
    const object = this.at(lo);
    if (object === undefined) throw new Fault('bad-call', 'the argument is no allocated object');
    return object;
  }

  /** The object whose list or tree node is there. */
  ofNode(node: number): LocalObject {
    const object = this.#byNode.get(node);
    if (object === undefined) throw new Fault('bad-call', 'the argument is no node of an allocated object');
    return object;
  }

  hold(object: LocalObject): void {
    object.held++;
    this.#held.add(object);
  }

  /** The program gives a reference up. */
  giveUp(object: LocalObject): void {
    if (object.held === 0) throw new Fault('use-after-free', `the program does not own ${object.what}`);
    object.held--;
    if (object.held === 0) this.#held.delete(object);
  }

  forget(object: LocalObject): void {
    this.#objects.delete(object.lo);
    for (const node of nodesOf(object)) this.#byNode.delete(node);
  }

  /** Names of what the program still owns; it owns nothing from now on. */
  takeHeld(): string[] {
    const names = [...this.#held].map(({ what }) => what);
    for (const object of this.#held) object.held = 0;
    this.#held.clear();
    return names;
  }

  /** Number of objects that exist. */
  get size(): number {
    return this.#objects.size;
  }
}

const nodesOf = ({ lo, record }: LocalObject): number[] =>
  (record?.fields ?? []).filter(({ type }) => (FIELD_BITS[type] & BPF_GRAPH_NODE) !== 0).map(({ offset }) => lo + offset);

export const LOCAL_OBJECTS: PartKey<LocalObjects> = { name: 'allocated objects', create: () => new LocalObjects() };
