import { bytesOfText } from '../text.ts';
import type { KernelObjects } from './kernel_objects.ts';
import { Lock } from './locks.ts';
import type { Task } from './task.ts';

const CGROUP = 'cgroup';
const NODE = 'kernfs_node';
const CSS_SET = 'css_set';
const POINTER_BYTES = 8;

/** A control group of the default hierarchy, with its own `cgroup_subsys_state` and the set of tasks that are in it. */
export class Cgroup {
  readonly offset: number;
  /** offset of `self`, the cgroup_subsys_state */
  readonly css: number;
  /** offset of the `css_set` of its tasks */
  readonly cssSet: number;
  readonly id: number;
  readonly name: string;
  readonly parent: Cgroup | null;
  readonly level: number;
  readonly children: Cgroup[] = [];
  readonly tasks: Task[] = [];
  /** removed, but still referred to (cgroup_is_dead) */
  isDead = false;

  constructor(objects: KernelObjects, id: number, name: string, parent: Cgroup | null) {
    this.id = id;
    this.name = name;
    this.parent = parent;
    this.level = parent === null ? 0 : parent.level + 1;
    const base = objects.sizeOf(CGROUP);
    const path = this.path();
    this.offset = objects.create(CGROUP, { what: `cgroup ${path}`, size: base + (this.level + 1) * POINTER_BYTES });
    this.css = objects.field(CGROUP, 'self').at(this.offset);
    const node = objects.create(NODE, { what: `kernfs_node ${path}` });
    const bytes = bytesOfText(name);
    const text = objects.createBytes(bytes.length + 1, `name ${name}`);
    objects.memory.u8.set(bytes, text);
    objects.field(NODE, 'name').setPointer(node, text);
    objects.field(NODE, 'id').set(node, id);
    objects.field(CGROUP, 'kn').setPointer(this.offset, node);
    objects.field(CGROUP, 'level').set(this.offset, this.level);
    objects.field(CGROUP, 'self.cgroup').setPointer(this.offset, this.offset);
    objects.field(CGROUP, 'self.parent').setPointer(this.offset, parent?.css ?? 0);
    const ancestors = objects.field(CGROUP, 'ancestors');
    if (ancestors.exists) {
      for (let at: Cgroup | null = this; at !== null; at = at.parent) {
        objects.storePointer(ancestors.at(this.offset) + at.level * POINTER_BYTES, at.offset);
      }
    }
    this.cssSet = objects.create(CSS_SET, { what: `css_set of ${path}` });
    objects.field(CSS_SET, 'dfl_cgrp').setPointer(this.cssSet, this.offset);
    parent?.children.push(this);
  }

  path(): string {
    let text = '';
    for (let at: Cgroup = this; at.parent !== null; at = at.parent) text = `/${at.name}${text}`;
    return text === '' ? '/' : text;
  }
}

/** The default hierarchy. */
export class Cgroups {
  readonly root: Cgroup;
  readonly mutex = new Lock('cgroup_mutex');
  readonly #objects: KernelObjects;
  readonly #byPath = new Map<string, Cgroup>();
  readonly #byCss = new Map<number, Cgroup>();
  readonly #byOffset = new Map<number, Cgroup>();
  #lastId = 1;

  constructor(objects: KernelObjects) {
    this.#objects = objects;
    this.root = this.#register(new Cgroup(objects, 1, '', null));
  }

  /** The cgroup of an absolute path, made with those above it when it is new. */
  at(path: string, id?: number): Cgroup {
    const names = path.split('/').filter((name) => name !== '');
    let at = this.root;
    for (const [index, name] of names.entries()) {
      const here: string = `/${names.slice(0, index + 1).join('/')}`;
      const given = index === names.length - 1 ? id : undefined;
      at = this.#byPath.get(here) ?? this.#register(new Cgroup(this.#objects, given ?? this.#newId(), name, at));
    }
    return at;
  }

  find(path: string): Cgroup | null {
    const names = path.split('/').filter((name) => name !== '');
    return this.#byPath.get(names.length === 0 ? '/' : `/${names.join('/')}`) ?? null;
  }

  byId(id: number): Cgroup | null {
    for (const cgroup of this.#byPath.values()) if (cgroup.id === id) return cgroup;
    return null;
  }

  /** The cgroup of a `cgroup_subsys_state`. */
  ofCss(css: number): Cgroup | null {
    return this.#byCss.get(css) ?? null;
  }

  /** The cgroup whose `struct cgroup` this is. */
  ofObject(offset: number): Cgroup | null {
    return this.#byOffset.get(offset) ?? null;
  }

  #register(cgroup: Cgroup): Cgroup {
    this.#byPath.set(cgroup.path(), cgroup);
    this.#byCss.set(cgroup.css, cgroup);
    this.#byOffset.set(cgroup.offset, cgroup);
    this.#lastId = Math.max(this.#lastId, cgroup.id);
    return cgroup;
  }

  #newId(): number {
    return this.#lastId + 1;
  }
}

/** The group behind `current` on a walk from parents to children; null at the end. Source: css_next_descendant_pre. */
export function nextDescendantPre(current: Cgroup | null, root: Cgroup): Cgroup | null {
  if (current === null) return root;
  const [child] = current.children;
  if (child !== undefined) return child;
  for (let at = current; at !== root; ) {
    const parent: Cgroup | null = at.parent;
    if (parent === null) return null;
    const sibling = parent.children[parent.children.indexOf(at) + 1];
    if (sibling !== undefined) return sibling;
    at = parent;
  }
  return null;
}

const leftmost = (from: Cgroup): Cgroup => {
  let at = from;
  for (let [child] = at.children; child !== undefined; [child] = at.children) at = child;
  return at;
};

/** The group behind `current` on a walk from children to parents. Source: css_next_descendant_post. */
export function nextDescendantPost(current: Cgroup | null, root: Cgroup): Cgroup | null {
  if (current === null) return leftmost(root);
  if (current === root || current.parent === null) return null;
  const siblings = current.parent.children;
  const sibling = siblings[siblings.indexOf(current) + 1];
  return sibling === undefined ? current.parent : leftmost(sibling);
}
