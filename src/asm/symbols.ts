import type { Profile } from '../contracts/profile.ts';
import { fromBigInt, parseWord64, type Word64 } from '../isa/word64.ts';
import type { CTypes } from './c_types.ts';
import type { Variable } from './data_sections.ts';
import type { Diagnostics, Position } from './diagnostics.ts';
import type { ExternOutline } from './outline.ts';
import type { Unit } from './unit.ts';

/** What text needs to know of a kernel. */
export type AsmProfile = Pick<Profile, 'helpers' | 'btf' | 'progTypes' | 'dataAddresses'>;

/** A kernel function or variable that the text declares. */
export interface Extern {
  readonly name: string;
  /** null: declared by its name alone */
  readonly kind: 'func' | 'var' | null;
  readonly isWeak: boolean;
  readonly address: Word64 | null;
  /** position among the externs, which a poisoned call shows */
  readonly index: number;
}

/** Where a kernel symbol was found. */
export type KernelSymbol =
  | { readonly kind: 'btf'; readonly id: number }
  | { readonly kind: 'address'; readonly address: Word64 }
  | { readonly kind: 'missing' }
  | { readonly kind: 'error'; readonly message: string };

/** First id of the helpers that do not exist and stand for missing kfuncs. Source: POISON_CALL_KFUNC_BASE, libbpf.c. */
export const POISON_CALL_KFUNC_BASE = 2002000000;

const ZERO: Word64 = { lo: 0, hi: 0 };

/** Every name of a text, each with one meaning. */
export class Symbols {
  readonly mapIndex: ReadonlyMap<string, number>;
  readonly variables: ReadonlyMap<string, Variable>;
  /** index of the map of a data section */
  readonly sectionIndex: ReadonlyMap<string, number>;
  readonly shared: ReadonlyMap<string, Unit>;
  readonly externs: ReadonlyMap<string, Extern>;
  readonly profile: AsmProfile | null;
  #helpers: Map<string, number> | null = null;

  constructor(parts: Pick<Symbols, 'mapIndex' | 'variables' | 'sectionIndex' | 'shared' | 'externs' | 'profile'>) {
    this.mapIndex = parts.mapIndex;
    this.variables = parts.variables;
    this.sectionIndex = parts.sectionIndex;
    this.shared = parts.shared;
    this.externs = parts.externs;
    this.profile = parts.profile;
  }

  helperId(name: string): number | null {
    if (this.profile === null) return null;
    this.#helpers ??= new Map(this.profile.helpers.flatMap((helper) => (helper === undefined ? [] : [[helper.name, helper.id]])));
    return this.#helpers.get(name) ?? null;
  }

  /** The kernel function of a call; undefined where neither the text nor the kernel knows the name. */
  kfunc(name: string): Exclude<KernelSymbol, { kind: 'address' | 'error' }> | undefined {
    const extern = this.externs.get(name);
    const found = this.profile?.btf.findByName(name, 'FUNC');
    if (found !== undefined) return { kind: 'btf', id: found.id };
    if (extern === undefined) return undefined;
    return { kind: 'missing' };
  }

  /** The address of a declared kernel symbol; undefined where the text does not declare the name. */
  ksym(name: string): KernelSymbol | undefined {
    const extern = this.externs.get(name);
    if (extern === undefined) return undefined;
    const { kind, isWeak, address } = extern;
    if (address !== null) return { kind: 'address', address };
    const data = kind === null ? this.profile?.dataAddresses?.get(name) : undefined;
    if (data !== undefined) return { kind: 'address', address: fromBigInt(data) };
    const found = kind === null ? undefined : this.profile?.btf.findByName(name, kind === 'func' ? 'FUNC' : 'VAR');
    if (found !== undefined) return { kind: 'btf', id: found.id };
    if (isWeak) return { kind: 'address', address: ZERO };
    const message =
      kind === null
        ? `extern (ksym) '${name}': its address is not known without /proc/kallsyms`
        : `extern (${kind} ksym) '${name}': not found in kernel ${kind === 'func' ? 'or module BTFs' : 'BTF'}`;
    return { kind: 'error', message };
  }
}

/** Reads `.extern` lines. */
export function readExterns(outlines: readonly ExternOutline[], types: CTypes, diagnostics: Diagnostics): Map<string, Extern> {
  const externs = new Map<string, Extern>();
  for (const { declaration, name, isWeak, address, at } of outlines) {
    const declared = declaration === null ? null : types.foreign(declaration.text, declaration.at);
    if (declaration !== null && declared === null) continue;
    const title = declared?.name ?? name!.text;
    const place: Position = address === null ? at : { line: at.line, column: at.column + address.column };
    const value = address === null ? null : parseWord64(address.text);
    if (address !== null && value === null) diagnostics.add(`'${address.text}' is not an address`, place);
    if (externs.has(title)) diagnostics.add(`'${title}' is declared twice`, at);
    const kind = declared === null ? null : declared.kind === 'func' ? 'func' : 'var';
    const weak = isWeak || declared?.weak === true;
    externs.set(title, { name: title, kind, isWeak: weak, address: value, index: externs.size });
  }
  return externs;
}
