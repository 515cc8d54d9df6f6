import type { LruNode } from './lru.ts';

/** Bytes of a key in a form that a JavaScript `Map` compares by value. */
export type KeyText = string | number;

export const keyText = (bytes: Uint8Array, at: number, size: number): KeyText => {
  if (size === 4) return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  let text = '';
  let i = 0;
  for (; i + 1 < size; i += 2) text += String.fromCharCode(bytes[at + i]! | (bytes[at + i + 1]! << 8));
  return i < size ? text + String.fromCharCode(bytes[at + i]!) : text;
};

/** An element: its place in guest memory, and its neighbours in the order of insertion. */
export interface Element extends LruNode {
  text: KeyText;
  /** offset of the key, and of the value (per-CPU maps: of CPU 0's value) */
  readonly key: number;
  readonly values: readonly number[];
  inTable: boolean;
  /** waits to be used again */
  isFree: boolean;
  before: Element | null;
  after: Element | null;
  /** RCU epoch in which it was last deleted; -1 while it never was */
  deletedIn: number;
}

/** Elements by key, walkable in order of insertion. */
export class HashTable {
  readonly #byKey = new Map<KeyText, Element>();
  #first: Element | null = null;
  #last: Element | null = null;

  get count(): number {
    return this.#byKey.size;
  }

  get first(): Element | null {
    return this.#first;
  }

  find(text: KeyText): Element | undefined {
    return this.#byKey.get(text);
  }

  insert(element: Element): void {
    this.#byKey.set(element.text, element);
    element.inTable = true;
    element.after = null;
    element.before = this.#last;
    if (this.#last === null) this.#first = element;
    else this.#last.after = element;
    this.#last = element;
  }

  remove(element: Element): void {
    if (this.#byKey.get(element.text) === element) this.#byKey.delete(element.text);
    element.inTable = false;
    if (element.before === null) this.#first = element.after;
    else element.before.after = element.after;
    if (element.after === null) this.#last = element.before;
    else element.after.before = element.before;
  }

  /** Puts an element in the place of another with the same key. */
  replace(old: Element, element: Element): void {
    this.#byKey.set(element.text, element);
    old.inTable = false;
    element.inTable = true;
    element.before = old.before;
    element.after = old.after;
    if (old.before === null) this.#first = element;
    else old.before.after = element;
    if (old.after === null) this.#last = element;
    else old.after.before = element;
  }

  /** The elements of this moment. */
  snapshot(): Element[] {
    const elements: Element[] = [];
    for (let element = this.#first; element !== null; element = element.after) elements.push(element);
    return elements;
  }
}
