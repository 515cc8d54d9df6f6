import type { Btf } from '../btf/btf.ts';
import type { HostSymbol, HostSymbols } from '../contracts/host_symbols.ts';
import { type GuestMemory, KERNEL_HIGH } from './memory.ts';
import { type PercpuRegion, TEXT_HIGH } from './regions.ts';

/** Where the model puts kernel functions: low half of the address of the function with this type id. */
const TEXT_BASE = 0x81000000;
const FUNCTION_STRIDE = 16;
const PERCPU_SECTION = '.data..percpu';

export interface SymbolAddress {
  readonly lo: number;
  readonly hi: number;
}

const functionAddress = (typeId: number): SymbolAddress => ({ lo: (TEXT_BASE + typeId * FUNCTION_STRIDE) | 0, hi: TEXT_HIGH });

/** Kernel variables and functions that programs refer to by type id: zeroed memory of the variable's type, made when first asked for. */
export class KernelSymbols implements HostSymbols {
  readonly #memory: GuestMemory;
  readonly #percpu: PercpuRegion;
  readonly #btf: Btf;
  readonly #known = new Map<number, SymbolAddress>();
  #percpuIds: ReadonlySet<number> | null = null;
  #functionIds: readonly number[] | null = null;

  constructor(memory: GuestMemory, percpu: PercpuRegion, btf: Btf) {
    this.#memory = memory;
    this.#percpu = percpu;
    this.#btf = btf;
  }

  /** The address of a BTF_KIND_VAR or BTF_KIND_FUNC; a `__percpu` one for per-CPU variables. A text says why there is none. */
  address(typeId: number): SymbolAddress | string {
    const known = this.#known.get(typeId);
    if (known !== undefined) return known;
    const found = this.#place(typeId);
    if (typeof found !== 'string') this.#known.set(typeId, found);
    return found;
  }

  get count(): number {
    return this.#functions.length;
  }

  at(index: number): HostSymbol {
    const type = this.#btf.type(this.#functions[index]!);
    return { name: type.name, ...functionAddress(type.id) };
  }

  find(name: string): HostSymbol | null {
    const type = this.#btf.findByName(name, 'FUNC');
    return type === undefined ? null : { name, ...functionAddress(type.id) };
  }

  get #functions(): readonly number[] {
    if (this.#functionIds === null) {
      const ids: number[] = [];
      for (let id = 1; id < this.#btf.count; id++) if (this.#btf.kindOf(id) === 'FUNC') ids.push(id);
      this.#functionIds = ids;
    }
    return this.#functionIds;
  }

  #place(typeId: number): SymbolAddress | string {
    const type = this.#btf.typeOrUndefined(typeId);
    if (type?.kind === 'FUNC') return functionAddress(typeId);
    if (type?.kind !== 'VAR') return `type ${typeId} is no kernel variable or function`;
    const size = this.#btf.sizeOf(type.type);
    if (size === undefined) return `kernel variable ${type.name} has no size`;
    if (this.#isPercpu(typeId)) {
      const lo = this.#percpu.allocate(size, `variable ${type.name}`);
      return lo === 0 ? 'no memory for a kernel variable' : { lo, hi: this.#percpu.high };
    }
    const lo = this.#memory.allocate(size, { what: `variable ${type.name}`, readOnly: true });
    return lo === 0 ? 'no memory for a kernel variable' : { lo, hi: KERNEL_HIGH };
  }

  #isPercpu(typeId: number): boolean {
    if (this.#percpuIds === null) {
      const section = this.#btf.findByName(PERCPU_SECTION, 'DATASEC');
      this.#percpuIds = new Set(section?.vars.map((variable) => variable.type) ?? []);
    }
    return this.#percpuIds.has(typeId);
  }
}
