import type { Btf } from '../btf/btf.ts';
import { patchInsn } from '../btf/core/patch.ts';
import { CORE_KINDS } from '../btf/core/relo.ts';
import { CoreResolver } from '../btf/core/resolver.ts';
import type { CoreResult } from '../btf/core/value.ts';
import { BtfError } from '../btf/error.ts';
import { type Insn, SLOT_BYTES } from '../isa/insn.ts';
import { type BtfExt, type ExtRecords, firstRecordFrom } from './btf_ext.ts';
import type { ObjectFunction } from './functions.ts';

/** Applies the CO-RE relocations of a function to its instructions; says why the function cannot be loaded. */
export type CoreRelocator = (fn: ObjectFunction, insns: Insn[]) => string | null;

/**
 * Relocations against the kernel's BTF. A relocation narrows down the candidates of those that follow it: those of `.text` share
 * one list of candidates and every program has its own, as when each is loaded alone.
 * Source: bpf_object__relocate_core, tools/lib/bpf/libbpf.c.
 */
export function coreRelocator(ext: BtfExt | null, btf: Btf | null, kernel: Btf): CoreRelocator {
  if (ext === null || btf === null) return () => null;
  const subprogramResults = new Map<number, readonly (CoreResult | string)[]>();
  const calculateFrom = (records: ExtRecords, first: number, end: number): (CoreResult | string)[] => {
    const resolver = new CoreResolver(btf, kernel);
    const results: (CoreResult | string)[] = [];
    for (let i = first; i < end; i++) results.push(calculate(resolver, btf, records, i));
    return results;
  };
  return (fn, insns) => {
    const records = ext.coreRelos.get(fn.section.index);
    if (records === undefined) return null;
    const first = firstRecordFrom(records, fn.start * SLOT_BYTES);
    const end = firstRecordFrom(records, (fn.start + fn.slots) * SLOT_BYTES);
    if (first === end) return null;
    let results = subprogramResults.get(fn.section.index);
    let shift = 0;
    if (!fn.isSubprogram) {
      results = calculateFrom(records, first, end);
      shift = first;
    } else if (results === undefined) {
      results = calculateFrom(records, 0, records.count);
      subprogramResults.set(fn.section.index, results);
    }
    let error: string | null = null;
    for (let i = first; i < end; i++) {
      const offset = records.at(i, 0) - fn.start * SLOT_BYTES;
      const problem = apply(insns, offset, results[i - shift]!);
      if (problem !== null) error ??= `prog '${fn.name}': relo #${i}: failed to relocate: ${problem}`;
    }
    return error;
  };
}

/** What one record comes to, or why it comes to nothing. */
function calculate(resolver: CoreResolver, btf: Btf, records: ExtRecords, record: number): CoreResult | string {
  const kind = CORE_KINDS[records.at(record, 3)];
  const access = btf.stringAt(records.at(record, 2));
  if (kind === undefined) return `unrecognized CO-RE relocation ${records.at(record, 3)}`;
  if (access === undefined) return 'no access string';
  return ifBtfError(() => resolver.calculate({ kind, typeId: records.at(record, 1), access }));
}

function apply(insns: Insn[], offset: number, result: CoreResult | string): string | null {
  if (typeof result === 'string') return result;
  if (offset % SLOT_BYTES !== 0) return `offset ${offset} is inside an instruction`;
  const at = offset / SLOT_BYTES;
  const patched = ifBtfError(() => patchInsn(insns[at]!, insns[at + 1], result));
  if (typeof patched === 'string') return patched;
  if (at + patched.insns.length > insns.length) return `insn #${at} (LDIMM64) is truncated`;
  insns.splice(at, patched.insns.length, ...patched.insns);
  return null;
}

function ifBtfError<T>(work: () => T): T | string {
  try {
    return work();
  } catch (error) {
    if (error instanceof BtfError) return error.message;
    throw error;
  }
}
