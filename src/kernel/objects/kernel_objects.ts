import type { Btf } from '../../btf/btf.ts';
import { placeOf } from '../../btf/place.ts';
import type { StructType } from '../../btf/types.ts';
import { Fault } from '../../contracts/errors.ts';
import type { AllocationInfo, HostMemory } from '../../contracts/host_memory.ts';
import { Field } from './field.ts';

/** Size of an object whose struct the BTF does not have: it has an address and nothing else. */
const IDENTITY_BYTES = 8;

export interface NewObject {
  /** for reports; by default the name of the struct */
  readonly what?: string;
  /** bytes, where the object goes on behind its struct (flexible arrays) */
  readonly size?: number;
  /** programs may store to it; else a store faults */
  readonly writable?: boolean;
}

/** Kernel objects in guest memory, laid out by BTF: a program's loads find each field where the kernel would have it. */
export class KernelObjects {
  readonly memory: HostMemory;
  readonly btf: Btf;
  readonly cpuCount: number;
  /** by struct, then by path: lookups put no text together */
  readonly #fields = new Map<string, Map<string, Field>>();
  readonly #structs = new Map<string, StructType | null>();
  readonly #plain = new Map<string, AllocationInfo>();

  constructor(memory: HostMemory, btf: Btf, cpuCount = 1) {
    this.memory = memory;
    this.btf = btf;
    this.cpuCount = cpuCount;
  }

  struct(name: string): StructType | null {
    let struct = this.#structs.get(name);
    if (struct === undefined) {
      struct = this.btf.findByName(name, 'STRUCT') ?? null;
      this.#structs.set(name, struct);
    }
    return struct;
  }

  /** Bytes of a struct. */
  sizeOf(name: string): number {
    return this.struct(name)?.size ?? IDENTITY_BYTES;
  }

  field(struct: string, path: string): Field {
    let fields = this.#fields.get(struct);
    if (fields === undefined) this.#fields.set(struct, (fields = new Map()));
    let field = fields.get(path);
    if (field === undefined) {
      const type = this.struct(struct);
      field = new Field(this.memory, path, type === null ? null : placeOf(this.btf, type, path));
      fields.set(path, field);
    }
    return field;
  }

  /** Offset of a new, zeroed object. The modelled kernel itself does not run out of memory: a `Fault` says that the machine did. */
  create(struct: string, { what = struct, size, writable = false }: NewObject = {}): number {
    const bytes = Math.max(size ?? 0, this.sizeOf(struct));
    const offset = this.memory.allocate(bytes, this.#infoOf(struct, what, writable));
    if (offset === 0) throw new Fault('budget', `no memory left for ${what}`);
    return offset;
  }

  /** Many objects have nothing of their own to tell: they share what is told of them. */
  #infoOf(struct: string, what: string, writable: boolean): AllocationInfo {
    const known = what === struct && !writable ? this.#plain.get(struct) : undefined;
    if (known !== undefined) return known;
    const info = { what, readOnly: !writable, btfType: this.struct(struct) === null ? undefined : struct };
    if (what === struct && !writable) this.#plain.set(struct, info);
    return info;
  }

  /** Zeroed bytes that belong to an object: arrays of pointers, names, buffers. */
  createBytes(size: number, what: string, writable = false): number {
    const offset = this.memory.allocate(Math.max(size, 1), { what, readOnly: !writable });
    if (offset === 0) throw new Fault('budget', `no memory left for ${what}`);
    return offset;
  }

  free(offset: number): void {
    this.memory.free(offset);
  }

  /** Stores the kernel address of `target` at an offset. */
  storePointer(at: number, target: number): void {
    this.memory.store64(at, target, target === 0 ? 0 : this.memory.high);
  }

  /** The kernel address of an offset as a number; NULL for 0. */
  address(offset: number): bigint {
    return offset === 0 ? 0n : (BigInt(this.memory.high >>> 0) << 32n) | BigInt(offset);
  }
}
