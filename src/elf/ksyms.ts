import type { Btf } from '../btf/btf.ts';
import { essentialName } from '../btf/names.ts';
import type { Extern, KconfigExtern, KsymExtern } from './externs.ts';
import { encodeNumber, encodeSetting } from './kconfig.ts';

/** What an extern became. `error` keeps the programs that take its address or read it from loading. */
export type Resolution = (
  | { readonly kind: 'kconfig'; readonly offset: number }
  /** a type id in the kernel's BTF: of a VAR or FUNC */
  | { readonly kind: 'btf'; readonly id: number }
  /** a plain number: an address, or 0 for a weak symbol that the kernel does not have */
  | { readonly kind: 'address'; readonly address: bigint }
  | { readonly kind: 'missing' }
) & { readonly error: string | null };

/** What the kernel offers to externs. */
export interface KernelSymbols {
  readonly btf: Btf;
  readonly version: readonly [major: number, minor: number, patch: number];
  readonly kconfig: ReadonlyMap<string, string>;
  /** whether a type of the object is compatible with one of the kernel */
  readonly isCompatible: (local: Btf, localId: number, kernelId: number) => boolean;
  /** address of a symbol in /proc/kallsyms; null: the kernel has no such symbol; undefined: not known here */
  readonly address: (name: string) => bigint | null | undefined;
}

/** Where modelled kernel symbols lie: the kernel's text mapping. */
const SYMBOLS_BASE = 0xffff_ffff_8100_0000n;

/**
 * Addresses for the symbols that the kernel's BTF names (functions and per-CPU variables), each its own, and those in `data`.
 * What else /proc/kallsyms has is not known offline.
 */
export const symbolsOfBtf = (btf: Btf, data?: ReadonlyMap<string, bigint>): KernelSymbols['address'] => {
  return (name) => {
    const known = data?.get(name);
    if (known !== undefined) return known;
    const found = btf.findByName(name, 'FUNC') ?? btf.findByName(name, 'VAR');
    return found === undefined ? undefined : SYMBOLS_BASE + BigInt(found.id) * 16n;
  };
};

/** LINUX_KERNEL_VERSION as the kernel encodes it. Source: get_kernel_version, KERNEL_VERSION. */
const versionCode = ([major, minor, patch]: KernelSymbols['version']): bigint =>
  BigInt((major << 16) + (minor << 8) + Math.min(patch, 255));

const VIRTUAL: ReadonlyMap<string, (kernel: KernelSymbols) => bigint> = new Map([
  ['LINUX_KERNEL_VERSION', (kernel: KernelSymbols) => versionCode(kernel.version)],
  ['LINUX_HAS_BPF_COOKIE', () => 1n],
  // libbpf looks for the wrapper by attaching a kprobe: a kernel without them seems to have none
  ['LINUX_HAS_SYSCALL_WRAPPER', (kernel: KernelSymbols) => (kernel.kconfig.has('CONFIG_KPROBES') ? 1n : 0n)],
]);

/**
 * Looks every extern up in the kernel and writes configuration values into the `.kconfig` map's bytes.
 * Source: bpf_object__resolve_externs, tools/lib/bpf/libbpf.c.
 */
export function resolveExterns(
  externs: readonly Extern[],
  btf: Btf | null,
  kernel: KernelSymbols,
  kconfig: Uint8Array | null,
): Resolution[] {
  return externs.map((extern) => {
    switch (extern.kind) {
      case 'unknown':
        return { kind: 'missing', error: extern.error };
      case 'kconfig':
        return resolveKconfig(extern, kernel, kconfig);
      case 'ksym':
        return resolveKsym(extern, btf!, kernel);
      default: {
        const never: never = extern;
        return never;
      }
    }
  });
}

function resolveKconfig(extern: KconfigExtern, kernel: KernelSymbols, bytes: Uint8Array | null): Resolution {
  const done = (error: string | null): Resolution => ({ kind: 'kconfig', offset: extern.offset, error });
  if (extern.error !== null || bytes === null) return done(extern.error);
  const virtual = VIRTUAL.get(extern.name);
  const setting = extern.name.startsWith('CONFIG_') ? kernel.kconfig.get(extern.name) : undefined;
  if (virtual === undefined && setting === undefined) {
    if (!extern.name.startsWith('CONFIG_') && !(extern.name.startsWith('LINUX_') && extern.weak))
      return done(`extern (kcfg) '${extern.name}': unrecognized virtual extern`);
    return done(extern.weak ? null : `extern '${extern.name}' (strong): not resolved`);
  }
  const encoded = virtual === undefined ? encodeSetting(extern, setting!) : encodeNumber(extern, virtual(kernel));
  if ('error' in encoded) return done(encoded.error);
  bytes.set(encoded.bytes.subarray(0, extern.size), extern.offset);
  return done(null);
}

function resolveKsym(extern: KsymExtern, btf: Btf, kernel: KernelSymbols): Resolution {
  if (extern.type === 0) return resolveAddress(extern, kernel);
  const isFunc = extern.declared.kind === 'FUNC';
  const found = kernel.btf.findByName(isFunc ? essentialName(extern.name) : extern.name, extern.declared.kind);
  if (found === undefined) {
    const where = isFunc ? 'not found in kernel or module BTFs' : 'not found in kernel BTF';
    return unresolved(extern, extern.weak ? null : `extern (${isFunc ? 'func' : 'var'} ksym) '${extern.name}': ${where}`);
  }
  const kernelType = isFunc ? found.type : kernel.btf.skipModifiers(found.type).id;
  if (!kernel.isCompatible(btf, extern.type, kernelType)) {
    if (isFunc)
      return unresolved(
        extern,
        extern.weak
          ? null
          : `extern (func ksym) '${extern.name}': func_proto [${extern.type}] incompatible with vmlinux [${kernelType}]`,
      );
    const local = btf.type(extern.type);
    const there = kernel.btf.type(kernelType);
    const message = `expected [${local.id}] ${local.kind.toLowerCase()} ${local.name}, but kernel has [${there.id}] ${there.kind.toLowerCase()} ${there.name}`;
    return unresolved(extern, `extern (var ksym) '${extern.name}': incompatible types, ${message}`);
  }
  return { kind: 'btf', id: found.id, error: null };
}

/** A kfunc call becomes a poisoned one, an address 0. */
const unresolved = (extern: KsymExtern, error: string | null): Resolution =>
  extern.declared.kind === 'FUNC' ? { kind: 'missing', error } : { kind: 'address', address: 0n, error };

function resolveAddress(extern: KsymExtern, kernel: KernelSymbols): Resolution {
  const address = kernel.address(extern.name);
  if (address === undefined)
    return {
      kind: 'address',
      address: 0n,
      error: `extern (ksym) '${extern.name}': its address is not known without /proc/kallsyms`,
    };
  if (address !== null) return { kind: 'address', address, error: null };
  return { kind: 'address', address: 0n, error: extern.weak ? null : `extern '${extern.name}' (strong): not resolved` };
}
