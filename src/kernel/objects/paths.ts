import { bytesOfText } from '../text.ts';
import type { KernelObjects } from './kernel_objects.ts';

const DENTRY = 'dentry';
const INODE = 'inode';
const SUPER_BLOCK = 'super_block';

export class Inode {
  readonly offset: number;
  readonly number: number;
  /** major << 20 | minor */
  readonly device: number;

  constructor(objects: KernelObjects, number: number, mode: number, superBlock: SuperBlock) {
    this.number = number;
    this.device = superBlock.device;
    this.offset = objects.create(INODE);
    objects.field(INODE, 'i_ino').set(this.offset, number);
    objects.field(INODE, 'i_mode').set(this.offset, mode);
    objects.field(INODE, 'i_sb').setPointer(this.offset, superBlock.offset);
  }
}

export class SuperBlock {
  readonly offset: number;
  readonly device: number;

  /** `device`: major << 20 | minor, as s_dev has it */
  constructor(objects: KernelObjects, device: number, id: string) {
    this.device = device;
    this.offset = objects.create(SUPER_BLOCK);
    objects.field(SUPER_BLOCK, 's_dev').set(this.offset, device);
    objects.field(SUPER_BLOCK, 's_id').setText(this.offset, id);
  }
}

/** A name in a directory, or the made-up name of something that has none (`anon_inode:[eventfd]`). */
export class Dentry {
  readonly offset: number;
  readonly name: string;
  readonly parent: Dentry | null;
  readonly inode: Inode;
  readonly mount: number;
  /** the name was removed while the file stayed open (d_unlinked) */
  readonly isUnlinked: boolean;
  /** has a name of its own making instead of a path (d_op->d_dname) */
  readonly isNameless: boolean;

  constructor(objects: KernelObjects, place: Pick<Dentry, 'name' | 'parent' | 'inode' | 'mount' | 'isUnlinked' | 'isNameless'>) {
    this.name = place.name;
    this.parent = place.parent;
    this.inode = place.inode;
    this.mount = place.mount;
    this.isUnlinked = place.isUnlinked;
    this.isNameless = place.isNameless;
    this.offset = objects.create(DENTRY, { what: `dentry ${place.name}` });
    objects.field(DENTRY, 'd_parent').setPointer(this.offset, place.parent?.offset ?? this.offset);
    objects.field(DENTRY, 'd_inode').setPointer(this.offset, place.inode.offset);
    this.#writeName(objects);
  }

  /** The name stands in the dentry when it fits (`d_shortname`, `d_iname` of older kernels), else behind a pointer. */
  #writeName(objects: KernelObjects): void {
    const bytes = bytesOfText(this.name);
    const short = objects.field(DENTRY, 'd_shortname.string').exists ? 'd_shortname.string' : 'd_iname';
    const inline = objects.field(DENTRY, short);
    const fits = inline.exists && bytes.length < inline.place.size;
    const at = fits ? inline.at(this.offset) : objects.createBytes(bytes.length + 1, `name ${this.name}`);
    objects.memory.u8.set(bytes, at);
    objects.field(DENTRY, 'd_name.name').setPointer(this.offset, at);
    objects.field(DENTRY, 'd_name.len').set(this.offset, bytes.length);
  }

  /** The text that d_path gives. Source: d_path, fs/d_path.c. */
  path(): string {
    if (this.isNameless) return this.name;
    let text = '';
    for (let at: Dentry = this; at.parent !== null; at = at.parent) text = `/${at.name}${text}`;
    return (text === '' ? '/' : text) + (this.isUnlinked ? ' (deleted)' : '');
  }
}

const S_IFREG = 0o100644;
const S_IFDIR = 0o040755;
const NAMELESS_MODE = 0o600;

export interface PathOptions {
  readonly inode?: number;
  /** major << 20 | minor */
  readonly device?: number;
  readonly mode?: number;
  readonly isUnlinked?: boolean;
}

/** All names: one tree, shared by every process, and names without a place in it. */
export class Paths {
  readonly #objects: KernelObjects;
  readonly #root: Dentry;
  readonly #mount: number;
  readonly #children = new Map<Dentry, Map<string, Dentry>>();
  readonly #superBlocks = new Map<number, SuperBlock>();
  readonly #byOffset = new Map<number, Dentry>();
  #inodes = 1000;

  constructor(objects: KernelObjects) {
    this.#objects = objects;
    this.#mount = objects.create('vfsmount');
    const inode = new Inode(objects, 2, S_IFDIR, this.superBlock(ROOT_DEVICE));
    this.#root = this.#add({ name: '/', parent: null, inode, mount: this.#mount, isUnlinked: false, isNameless: false });
  }

  newInodeNumber(): number {
    return ++this.#inodes;
  }

  superBlock(device: number): SuperBlock {
    const known = this.#superBlocks.get(device);
    if (known !== undefined) return known;
    const made = new SuperBlock(this.#objects, device, `${device >>> 20}:${device & 0xfffff}`);
    this.#superBlocks.set(device, made);
    return made;
  }

  at(offset: number): Dentry | null {
    return this.#byOffset.get(offset) ?? null;
  }

  /** The dentry of an absolute path; made, with the directories in front of it, when it is new. */
  open(path: string, options: PathOptions = {}): Dentry {
    const names = path.split('/').filter((name) => name !== '');
    let at = this.#root;
    for (const [index, name] of names.entries()) {
      const isLast = index === names.length - 1;
      const wanted = isLast ? options : {};
      const known = wanted.isUnlinked === true ? undefined : this.#children.get(at)?.get(name);
      const matches = known !== undefined && (wanted.inode === undefined || known.inode.number === wanted.inode);
      at = matches ? known : this.#child(at, name, isLast ? S_IFREG : S_IFDIR, wanted);
    }
    return at;
  }

  /** A name that is in no directory: an anonymous inode, a pipe, a socket. `inode`: 0 for a new one. */
  nameless(name: string, inode = 0, device = ANONYMOUS_DEVICE): Dentry {
    const node = new Inode(this.#objects, inode === 0 ? this.newInodeNumber() : inode, NAMELESS_MODE, this.superBlock(device));
    return this.#add({ name, parent: null, inode: node, mount: this.#mount, isUnlinked: false, isNameless: true });
  }

  #child(parent: Dentry, name: string, mode: number, options: PathOptions): Dentry {
    const superBlock = this.superBlock(options.device ?? ROOT_DEVICE);
    const inode = new Inode(this.#objects, options.inode ?? this.newInodeNumber(), options.mode ?? mode, superBlock);
    const isUnlinked = options.isUnlinked === true;
    const dentry = this.#add({ name, parent, inode, mount: this.#mount, isUnlinked, isNameless: false });
    if (isUnlinked) return dentry;
    const siblings = this.#children.get(parent) ?? new Map<string, Dentry>();
    this.#children.set(parent, siblings.set(name, dentry));
    return dentry;
  }

  #add(place: ConstructorParameters<typeof Dentry>[1]): Dentry {
    const dentry = new Dentry(this.#objects, place);
    this.#byOffset.set(dentry.offset, dentry);
    return dentry;
  }
}

/** 8:1, the first partition of the first disk. */
const ROOT_DEVICE = (8 << 20) | 1;
/** 0:15, where anonymous inodes live. */
const ANONYMOUS_DEVICE = 15;
