import type { UserMemory } from '../user_space.ts';
import type { Field } from './field.ts';
import type { KernelFile } from './files.ts';
import type { KernelObjects } from './kernel_objects.ts';
import { Lock, ReadWriteLock } from './locks.ts';

/** vm_flags, include/linux/mm.h. */
export const VM_FLAGS = {
  VM_READ: 0x1,
  VM_WRITE: 0x2,
  VM_EXEC: 0x4,
  VM_SHARED: 0x8,
  VM_MAYREAD: 0x10,
  VM_MAYWRITE: 0x20,
  VM_MAYEXEC: 0x40,
  VM_MAYSHARE: 0x80,
  VM_GROWSDOWN: 0x100,
} as const;

/** What a memory area is, before it stands in an address space. Addresses are below 2^48. */
export interface AreaSpec {
  readonly start: number;
  readonly end: number;
  /** sum of VM_FLAGS */
  readonly flags: number;
  /** in pages */
  readonly pageOffset?: number;
  readonly file?: KernelFile | null;
}

/** A memory area. Its `vm_area_struct` is made when somebody looks at it. */
export class Area {
  start: number;
  end: number;
  readonly flags: number;
  readonly pageOffset: number;
  readonly file: KernelFile | null;
  offset = 0;
  #lock: Lock | null = null;

  constructor(spec: AreaSpec) {
    this.start = spec.start;
    this.end = spec.end;
    this.flags = spec.flags;
    this.pageOffset = spec.pageOffset ?? 0;
    this.file = spec.file ?? null;
  }

  /** the area's own lock (vma_start_read, vma_start_write); made when somebody asks for it */
  get lock(): Lock {
    this.#lock ??= new Lock(`lock of the area at 0x${this.start.toString(16)}`);
    return this.#lock;
  }

  /** Nobody holds its lock. */
  get isFree(): boolean {
    return this.#lock === null || !this.#lock.isHeld;
  }
}

const AREA = 'vm_area_struct';
const MM = 'mm_struct';
const PAGE_SHIFT = 12;

/** Fields of `vm_area_struct`, looked up once for each kernel. */
function areaFields(objects: KernelObjects): AreaFields {
  let fields = AREA_FIELDS.get(objects);
  if (fields === undefined) {
    const field = (path: string): Field => objects.field(AREA, path);
    fields = {
      start: field('vm_start'),
      end: field('vm_end'),
      flags: field('vm_flags'),
      pageOffset: field('vm_pgoff'),
      mm: field('vm_mm'),
      file: field('vm_file'),
    };
    AREA_FIELDS.set(objects, fields);
  }
  return fields;
}

type AreaFields = Readonly<Record<'start' | 'end' | 'flags' | 'pageOffset' | 'mm' | 'file', Field>>;
const AREA_FIELDS = new WeakMap<KernelObjects, AreaFields>();

/** An address space: areas by ascending address, the lock over them, who uses it. Source: include/linux/mm_types.h. */
export class AddressSpace {
  readonly offset: number;
  readonly lock: ReadWriteLock;
  readonly memory: UserMemory;
  readonly #objects: KernelObjects;
  #areas: Area[] = [];
  #users = 0;

  constructor(objects: KernelObjects, memory: UserMemory, owner: string) {
    this.#objects = objects;
    this.memory = memory;
    this.lock = new ReadWriteLock(`mmap_lock of ${owner}`);
    this.offset = objects.create(MM, { what: `mm_struct of ${owner}` });
    objects.field(MM, 'mm_count.counter').set(this.offset, 1);
    this.get();
  }

  get users(): number {
    return this.#users;
  }

  get areas(): readonly Area[] {
    return this.#areas;
  }

  /** mmget */
  get(): void {
    this.#users++;
    this.#objects.field(MM, 'mm_users.counter').set(this.offset, this.#users);
  }

  /** mmput; the areas go with the last user */
  put(): void {
    this.#users--;
    this.#objects.field(MM, 'mm_users.counter').set(this.offset, this.#users);
    if (this.#users === 0) for (const area of [...this.#areas]) this.remove(area);
  }

  /** The area whose end is above `address`, if any: find_vma(). */
  find(address: number): Area | null {
    return this.#areas[this.#indexAfter(address)] ?? null;
  }

  /** The first areas that overlaps a range. */
  overlapping(start: number, end: number): Area | null {
    const area = this.find(start);
    return area !== null && area.start < end ? area : null;
  }

  /** Adds an area. The range must be free. */
  add(spec: AreaSpec): Area {
    const area = new Area(spec);
    this.#areas.splice(this.#indexAfter(spec.start), 0, area);
    this.#countAreas();
    return area;
  }

  /** Takes an area away; pointers to it dangle from now on. */
  remove(area: Area): void {
    const index = this.#areas.indexOf(area);
    if (index < 0) return;
    this.#areas.splice(index, 1);
    this.#countAreas();
    if (area.offset !== 0) this.#objects.free(area.offset);
    area.offset = 0;
  }

  /** Moves the ends of an area that stays what it is. */
  resize(area: Area, start: number, end: number): void {
    area.start = start;
    area.end = end;
    this.#areas.sort((a, b) => a.start - b.start);
    if (area.offset !== 0) this.#write(area);
  }

  /** Offset of the area's `vm_area_struct`. */
  areaObject(area: Area): number {
    if (area.offset === 0) {
      area.offset = this.#objects.create(AREA);
      this.#write(area);
    }
    return area.offset;
  }

  /** Writes an area into a `vm_area_struct` that stands at `offset`. */
  #write(area: Area): void {
    const { offset } = area;
    const fields = areaFields(this.#objects);
    fields.start.set(offset, area.start);
    fields.end.set(offset, area.end);
    fields.flags.set(offset, area.flags);
    fields.pageOffset.set(offset, area.pageOffset);
    fields.mm.setPointer(offset, this.offset);
    fields.file.setPointer(offset, area.file?.offset ?? 0);
  }

  #countAreas(): void {
    this.#objects.field(MM, 'map_count').set(this.offset, this.#areas.length);
  }

  /** Index of the first area whose end is above `address`. */
  #indexAfter(address: number): number {
    let low = 0;
    let high = this.#areas.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#areas[middle]!.end > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** The permissions of an area as /proc/PID/maps has them: `r-xp`. Null for other text. */
export function areaFlags(permissions: string): number | null {
  const [, read, write, execute, sharing] = /^([r-])([w-])([x-])([ps])$/.exec(permissions) ?? [];
  if (sharing === undefined) return null;
  let flags: number = VM_FLAGS.VM_MAYREAD | VM_FLAGS.VM_MAYWRITE | VM_FLAGS.VM_MAYEXEC;
  if (read === 'r') flags |= VM_FLAGS.VM_READ;
  if (write === 'w') flags |= VM_FLAGS.VM_WRITE;
  if (execute === 'x') flags |= VM_FLAGS.VM_EXEC;
  if (sharing === 's') flags |= VM_FLAGS.VM_SHARED | VM_FLAGS.VM_MAYSHARE;
  return flags;
}

/** The way back. Source: show_vma_header_prefix, fs/proc/task_mmu.c. */
export const permissionsOf = (flags: number): string =>
  (flags & VM_FLAGS.VM_READ ? 'r' : '-') +
  (flags & VM_FLAGS.VM_WRITE ? 'w' : '-') +
  (flags & VM_FLAGS.VM_EXEC ? 'x' : '-') +
  (flags & VM_FLAGS.VM_MAYSHARE ? 's' : 'p');

export const PAGE_BYTES = 1 << PAGE_SHIFT;
