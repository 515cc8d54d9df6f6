import { UNSPEC_HELPER_NAME } from '../../contracts/helper.ts';
import { type InsnNames, printInsn } from '../../isa/print.ts';
import type { LineInfo } from '../../program/program.ts';
import type { Env } from '../env.ts';
import type { State } from '../state/state.ts';
import { printVerifierState } from './state_lines.ts';

/** Lines with instructions and source. Source: kernel/bpf/log.c, verbose_insn in kernel/bpf/verifier.c. */

/** State comments are aligned to this column, then to multiples of the second number. */
const BPF_LOG_ALIGNMENT = 40;
const BPF_LOG_MIN_ALIGNMENT = 8;

/** One call of the kernel's printing function writes so many characters at most. */
const MAX_PIECE = 1023;

/**
 * Address that stands for what an `ld_imm64` refers to, as the kernel prints them after resolution. Real ones differ at every
 * boot; these are apart for every map, map value and symbol, and look like a kernel's.
 */
function addressText(env: Env, index: number): string | null {
  const ref = env.facts.immRef[index];
  // who may not see addresses is shown 0 in place of a map's
  if (!env.allowPtrLeaks && (ref?.kind === 'map' || ref?.kind === 'map-value')) return null;
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  switch (ref?.kind) {
    case 'map':
      return `0xffff8881${hex((env.usedMaps.indexOf(ref.map) + 1) * 0x1000, 8)}`;
    case 'map-value':
      // an arena is reached through the address that user space chose for it
      if (ref.map === env.arena) return `0x${(ref.map.def.mapExtra + BigInt(ref.off)).toString(16)}`;
      return `0xffffc${hex((env.usedMaps.indexOf(ref.map) + 1) * 2 ** 30 + ref.off, 11)}`;
    case 'btf-var':
      return `0xffffffff${hex(0x81000000 + env.insn(index).imm * 16, 8)}`;
    default:
      return null;
  }
}

const names = (env: Env, index: number): InsnNames => ({
  helper: (id) => env.profile.helpers[id]?.name ?? (id === 0 ? UNSPEC_HELPER_NAME : null),
  kfunc: (btfId, fdIndex) => {
    if (fdIndex !== 0) return '<error>';
    return env.kfuncs.get(btfId)?.name ?? env.profile.btf.type(btfId).name;
  },
  immediate: () => addressText(env, index),
});

/** The instruction as text, `(bf) r1 = r2`. */
export const insnLine = (env: Env, index: number): string =>
  printInsn(env.insns, index, names(env, index), { allowPtrLeaks: env.allowPtrLeaks });

/** `5: (bf) r1 = r2`, remembering where the line ended for a state that follows it. */
export function verboseInsn(env: Env, index: number): void {
  const text = `${index}: ${insnLine(env, index)}\n`;
  env.log.trace(text);
  env.prevInsnPrintLength = text.length;
  env.prevLogPosition = env.log.position;
}

/** Row of the line info that the instruction belongs to: the last one at or before it. */
function findLineInfo(env: Env, index: number): LineInfo | null {
  const rows = env.program.lineInfo;
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle] as LineInfo).insn <= index) low = middle + 1;
    else high = middle;
  }
  return rows[low - 1] ?? null;
}

const isSameLine = (a: LineInfo, b: LineInfo): boolean => a.fileOff === b.fileOff && a.lineCol >>> 10 === b.lineCol >>> 10;

/** The source line at every log level, unless it was printed last: `; text @ file.c:12` (verbose_linfo). */
export function verboseLineInfo(env: Env, index: number, prefix: string): void {
  const { btf } = env.program;
  if (!btf || env.log.level === 0) return;
  const row = findLineInfo(env, index);
  const previous = env.prevLineInfo;
  if (!row || row === previous || (previous && isSameLine(row, previous))) return;
  const source = (btf.stringAt(row.lineOff) ?? '').replace(/^[ \t-\r\u00a0]+/, '');
  const path = btf.stringAt(row.fileOff) ?? '';
  const file = path.slice(path.lastIndexOf('/') + 1);
  env.log.trace(`${prefix}${source.slice(0, MAX_PIECE)} @ ${file}:${row.lineCol >>> 10}\n`);
  env.prevLineInfo = row;
}

/** Blanks between an instruction and its state (vlog_alignment), for a line of `length` characters. */
const alignment = (length: number): number => {
  const wanted = Math.max(length + BPF_LOG_MIN_ALIGNMENT / 2, BPF_LOG_ALIGNMENT);
  return Math.ceil(wanted / BPF_LOG_MIN_ALIGNMENT) * BPF_LOG_MIN_ALIGNMENT - length - 1;
};

/** What changed: behind the instruction when nothing was printed since, else on a line of its own (print_insn_state). */
export function printInsnState(env: Env, state: State, frameno: number): void {
  if (env.prevLogPosition !== 0 && env.prevLogPosition === env.log.position) {
    env.log.dropNewline();
    env.log.trace(`${' '.repeat(Math.max(1, alignment(env.prevInsnPrintLength)))};`);
  } else env.log.trace(`${env.insnIdx}:`);
  printVerifierState(env, state, frameno, false);
}
