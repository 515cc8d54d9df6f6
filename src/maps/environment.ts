import type { Field, FieldRecord } from '../btf/special.ts';
import type { Outcome } from '../contracts/host_call.ts';
import type { GuestMemory } from '../kernel/memory.ts';
import type { MapDef, Program } from '../program/program.ts';

/** What maps ask of the machine they live in. */
export interface MapEnvironment {
  readonly memory: GuestMemory;
  readonly cpuCount: number;
  /** the CPU that runs */
  cpu(): number;
  /** 32 random bits, unsigned */
  random(): number;
  /** runs when no program can hold a pointer from before any more */
  afterRcu(action: () => void): void;
  /** changes whenever the RCU section does in which programs run */
  readonly rcuEpoch: number;
  allocationFails(): boolean;
  note(text: string): void;
  record(outcome: Outcome): void;
  /** the special fields of a definition's values; null without */
  fieldsOf(def: MapDef): FieldRecord | null;
  /** offset of a new `struct bpf_map` that describes the map; 0 when memory is used up */
  newMapObject(def: MapDef, id: number): number;
  /** gives back what a special field owns (timer, kptr, list, tree), before its value is overwritten or freed */
  freeField(field: Field, offset: number): void;
  /** number under which user space sees a program that stands in a program array */
  programId(program: Program): number;
}

/** BPF_F_* of element updates, include/uapi/linux/bpf.h. */
export const BPF_ANY = 0n;
export const BPF_NOEXIST = 1n;
export const BPF_EXIST = 2n;
export const BPF_F_LOCK = 4n;

/** BPF_F_* of map creation. */
export const BPF_F_NO_PREALLOC = 1 << 0;
export const BPF_F_NO_COMMON_LRU = 1 << 1;
export const BPF_F_RDONLY = 1 << 3;
export const BPF_F_WRONLY = 1 << 4;
export const BPF_F_ZERO_SEED = 1 << 6;
export const BPF_F_RDONLY_PROG = 1 << 7;
export const BPF_F_WRONLY_PROG = 1 << 8;
