/** A function of the kernel, as /proc/kallsyms has it. */
export interface HostSymbol {
  readonly name: string;
  readonly lo: number;
  readonly hi: number;
}

/** The functions that the kernel's BTF knows, by ascending address. Their addresses are the model's. */
export interface HostSymbols {
  readonly count: number;
  at(index: number): HostSymbol;
  /** null where there is no function of this name */
  find(name: string): HostSymbol | null;
}
