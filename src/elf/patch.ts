import type { Insn } from '../isa/insn.ts';
import type { CoreRelocator } from './core_relos.ts';
import type { Extern } from './externs.ts';
import type { FunctionTable, ObjectFunction } from './functions.ts';
import type { Resolution } from './ksyms.ts';
import type { MapDraft } from './maps.ts';
import { CALL, LD_IMM64, type Relocation } from './relocations.ts';

/** Pseudo sources of `ld_imm64` and calls. Source: include/uapi/linux/bpf.h. */
const PSEUDO = { MAP_FD: 1, MAP_VALUE: 2, BTF_ID: 3, FUNC: 4, CALL: 1, KFUNC_CALL: 2 } as const;

/**
 * Calls that no kernel has, by which the verifier's message tells what the loader could not resolve: a map by its number, a
 * kfunc by its position among the externs. Source: poison_map_ldimm64, poison_kfunc_call.
 */
const POISON_MAP = 2_001_000_000;
const POISON_KFUNC = 2_002_000_000;

/** A place that refers to a subprogram and gets its final number when the program is linked. */
export interface SubprogramUse {
  readonly insn: number;
  readonly callee: ObjectFunction;
}

/** A function with every reference resolved that does not depend on the program it becomes part of. */
export interface FunctionBody {
  readonly insns: readonly Insn[];
  readonly uses: readonly SubprogramUse[];
  /** first reason why no program with this function can be loaded */
  readonly error: string | null;
}

export interface PatchContext {
  readonly functions: FunctionTable;
  /** section index of `.text`, 0 without one */
  readonly text: number;
  readonly maps: readonly MapDraft[];
  readonly kconfigMap: number;
  readonly externs: readonly Extern[];
  readonly resolutions: readonly Resolution[];
  readonly relocateCore: CoreRelocator;
}

const isSubprogramCall = ({ code, dst, src, off }: Insn): boolean =>
  code === CALL && src === PSEUDO.CALL && dst === 0 && off === 0;
const isMapReference = ({ code, src }: Insn): boolean => code === LD_IMM64 && (src === PSEUDO.MAP_FD || src === PSEUDO.MAP_VALUE);
const isSubprogramAddress = ({ code, src }: Insn): boolean => code === LD_IMM64 && src === PSEUDO.FUNC;

/** Source: bpf_object__relocate_core, bpf_object__relocate_data, and the look-up half of bpf_object__reloc_code. */
export function patchFunction(fn: ObjectFunction, context: PatchContext): FunctionBody {
  const insns = [...fn.original];
  let error = fn.error;
  const note = (message: string | null): void => {
    error ??= message;
  };
  note(context.relocateCore(fn, insns));
  const byInsn = new Map<number, Relocation>();
  for (const relocation of fn.relocations) {
    if (!byInsn.has(relocation.insn)) byInsn.set(relocation.insn, relocation);
    note(patchReference(insns, relocation, context));
  }
  const uses: SubprogramUse[] = [];
  for (let i = 0; i < insns.length; i++) {
    const insn = insns[i]!;
    if (isMapReference(insn) && !byInsn.has(i) && insn.imm >= 0) insns[i] = { ...insn, imm: ~insn.imm };
    const isCall = isSubprogramCall(insn);
    if (!isCall && !isSubprogramAddress(insn)) continue;
    const slot = calleeSlot(fn, i, insn, byInsn.get(i), isCall);
    if (typeof slot === 'string') {
      note(`prog '${fn.name}': ${slot}`);
      continue;
    }
    const callee = context.text === 0 ? null : context.functions.at(context.text, slot);
    if (callee === null) note(`prog '${fn.name}': no .text section found yet sub-program call exists`);
    else uses.push({ insn: i, callee });
  }
  return { insns, uses, error };
}

/** Slot in `.text` to which a call or address refers, or what is wrong. */
function calleeSlot(
  fn: ObjectFunction,
  at: number,
  insn: Insn,
  relocation: Relocation | undefined,
  isCall: boolean,
): number | string {
  switch (relocation?.kind) {
    case undefined:
      return isCall ? fn.start + at + insn.imm + 1 : `missing subprog addr relo for insn #${at}`;
    case 'call':
      return Math.floor(relocation.offset / 8) + insn.imm + 1;
    case 'subprogram':
      return Math.floor((relocation.offset + insn.imm) / 8);
    case 'map':
    case 'data':
    case 'extern':
      return `unexpected relo for insn #${at}, type ${relocation.kind}`;
    default: {
      const never: never = relocation;
      return never;
    }
  }
}

const poisoned = (imm: number): Insn => ({ code: CALL, dst: 0, src: 0, off: 0, imm });

/** Resolves one reference in place; says why the function cannot be loaded where it cannot be resolved. */
function patchReference(insns: Insn[], relocation: Relocation, context: PatchContext): string | null {
  const at = relocation.insn;
  const insn = insns[at]!;
  const next = insns[at + 1];
  switch (relocation.kind) {
    case 'call':
      return null;
    case 'subprogram':
      insns[at] = { ...insn, src: PSEUDO.FUNC };
      return null;
    case 'map':
    case 'data': {
      const map = context.maps[relocation.map]!;
      if (map.error !== null || !map.autocreate) {
        insns[at] = poisoned(POISON_MAP + relocation.map);
        insns[at + 1] = poisoned(POISON_MAP + relocation.map);
        return map.error;
      }
      if (relocation.kind === 'data') insns[at + 1] = { ...next!, imm: (insn.imm + relocation.offset) | 0 };
      insns[at] = { ...insn, src: relocation.kind === 'map' ? PSEUDO.MAP_FD : PSEUDO.MAP_VALUE, imm: relocation.map };
      return null;
    }
    case 'extern':
      return patchExtern(insns, at, relocation.extern, context);
    default: {
      const never: never = relocation;
      return never;
    }
  }
}

function patchExtern(insns: Insn[], at: number, index: number, context: PatchContext): string | null {
  const insn = insns[at]!;
  const resolution = context.resolutions[index]!;
  if (insn.code === CALL) {
    if (resolution.kind === 'btf') {
      insns[at] = { ...insn, src: PSEUDO.KFUNC_CALL, imm: resolution.id, off: 0 };
      return null;
    }
    // libbpf gives up the whole object for a strong one; here the verifier refuses what reaches the call, and only that
    insns[at] = poisoned(POISON_KFUNC + index);
    return context.externs[index]!.kind === 'ksym' ? null : resolution.error;
  }
  const next = insns[at + 1];
  if (next === undefined) return `extern '${context.externs[index]!.name}': ld_imm64 is truncated`;
  switch (resolution.kind) {
    case 'kconfig':
      insns[at] = { ...insn, src: PSEUDO.MAP_VALUE, imm: context.kconfigMap };
      insns[at + 1] = { ...next, imm: resolution.offset };
      break;
    case 'btf':
      insns[at] = { ...insn, src: PSEUDO.BTF_ID, imm: resolution.id };
      insns[at + 1] = { ...next, imm: 0 };
      break;
    case 'address':
    case 'missing': {
      const address = resolution.kind === 'address' ? resolution.address : 0n;
      insns[at] = { ...insn, imm: Number(BigInt.asIntN(32, address)) };
      insns[at + 1] = { ...next, imm: Number(BigInt.asIntN(32, address >> 32n)) };
      break;
    }
    default: {
      const never: never = resolution;
      return never;
    }
  }
  return resolution.error;
}
