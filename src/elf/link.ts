import { type Insn, SLOT_BYTES } from '../isa/insn.ts';
import type { FuncInfo, LineInfo } from '../program/program.ts';
import { type BtfExt, type ExtRecords, firstRecordFrom } from './btf_ext.ts';
import type { ObjectFunction } from './functions.ts';
import type { FunctionBody } from './patch.ts';

/** A program with all the subprograms that it reaches, in one sequence of slots. */
export interface LinkedProgram {
  readonly insns: readonly Insn[];
  readonly funcInfo: readonly FuncInfo[];
  readonly lineInfo: readonly LineInfo[];
  readonly error: string | null;
}

interface Frame {
  readonly body: FunctionBody;
  readonly base: number;
  next: number;
}

/** BPF_PROG_LOAD takes no more instructions. Source: BPF_COMPLEXITY_LIMIT_INSNS. */
const PROGRAM_SLOTS = 1_000_000;

/**
 * Appends each subprogram behind the program when the first call to it is met, depth first, and points calls and addresses
 * at the place where it went. `exceptionCallback` is appended last, if no call brought it in.
 * Source: bpf_object__relocate_calls, bpf_object__reloc_code.
 */
export function linkProgram(
  main: ObjectFunction,
  bodyOf: (fn: ObjectFunction) => FunctionBody,
  ext: BtfExt | null,
  exceptionCallback: ObjectFunction | null,
): LinkedProgram {
  const insns: Insn[] = [];
  const placed = new Map<ObjectFunction, number>();
  const info = new InfoCollector(main, ext);
  let error: string | null = null;

  const place = (fn: ObjectFunction): Frame => {
    const body = bodyOf(fn);
    const base = insns.length;
    placed.set(fn, base);
    for (const insn of body.insns) insns.push(insn);
    const missing = info.add(fn, base);
    error ??= body.error ?? missing;
    return { body, base, next: 0 };
  };
  const run = (first: ObjectFunction): void => {
    const stack = [place(first)];
    while (stack.length > 0) {
      const frame = stack[stack.length - 1]!;
      const use = frame.body.uses[frame.next];
      if (use === undefined) {
        stack.pop();
        continue;
      }
      const target = placed.get(use.callee);
      if (target === undefined) {
        if (insns.length + use.callee.slots > PROGRAM_SLOTS) {
          error ??= `prog '${main.name}': more than ${PROGRAM_SLOTS} instructions`;
          return;
        }
        stack.push(place(use.callee));
        continue;
      }
      const at = frame.base + use.insn;
      insns[at] = { ...insns[at]!, imm: target - at - 1 };
      frame.next++;
    }
  };
  run(main);
  if (exceptionCallback !== null && !placed.has(exceptionCallback)) run(exceptionCallback);
  return { insns, funcInfo: info.funcInfo, lineInfo: info.lineInfo, error };
}

/** Gathers `.BTF.ext` records of the functions of one program. Source: reloc_prog_func_and_line_info. */
class InfoCollector {
  readonly funcInfo: FuncInfo[] = [];
  readonly lineInfo: LineInfo[] = [];
  readonly #main: ObjectFunction;
  readonly #ext: BtfExt | null;

  constructor(main: ObjectFunction, ext: BtfExt | null) {
    this.#main = main;
    this.#ext = ext;
  }

  /** Adds the records of a function that lies at slot `base`; says what is missing when others of the program have them. */
  add(fn: ObjectFunction, base: number): string | null {
    if (this.#ext === null) return null;
    const isMain = fn === this.#main;
    if (isMain || this.funcInfo.length > 0) {
      const found = recordsOf(this.#ext.funcInfo, fn, (records, i) => {
        this.funcInfo.push({ insn: slotOf(records, i) - fn.start + base, typeId: records.at(i, 1) });
      });
      if (!found && this.funcInfo.length > 0) return `prog '${fn.name}': missing .BTF.ext function info.`;
    }
    if (isMain || this.lineInfo.length > 0) {
      const found = recordsOf(this.#ext.lineInfo, fn, (records, i) => {
        this.lineInfo.push({
          insn: slotOf(records, i) - fn.start + base,
          fileOff: records.at(i, 1),
          lineOff: records.at(i, 2),
          lineCol: records.at(i, 3),
        });
      });
      if (!found && this.lineInfo.length > 0) return `prog '${fn.name}': missing .BTF.ext line info.`;
    }
    return null;
  }
}

const slotOf = (records: ExtRecords, record: number): number => Math.floor(records.at(record, 0) / SLOT_BYTES);

/** Visits the records that lie inside a function; false when there are none. */
function recordsOf(
  table: ReadonlyMap<number, ExtRecords>,
  fn: ObjectFunction,
  visit: (records: ExtRecords, record: number) => void,
): boolean {
  const records = table.get(fn.section.index);
  if (records === undefined) return false;
  const end = (fn.start + fn.slots) * SLOT_BYTES;
  let found = false;
  for (let i = firstRecordFrom(records, fn.start * SLOT_BYTES); i < records.count && records.at(i, 0) < end; i++) {
    visit(records, i);
    found = true;
  }
  return found;
}
