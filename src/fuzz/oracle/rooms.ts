import { opcodeOf } from '../../isa/opcodes.ts';
import type { Program } from '../../program/program.ts';
import { regTypeText } from '../../verifier/log/state_lines.ts';
import { baseOf, NOT_INIT } from '../../verifier/state/reg_types.ts';
import type { Arrival, ExploredGraph } from './explored.ts';

/** Arrivals of one program that are looked at: more of them say the same. */
const LOOKED_AT = 400;

/** Instructions that find what they are about in one register. */
const OPERAND: Readonly<Record<string, 'dst' | 'src'>> = {
  ldx: 'src',
  ldsx: 'src',
  load_acquire: 'src',
  st: 'dst',
  stx: 'dst',
  store_release: 'dst',
  atomic: 'dst',
  atomic_fetch: 'dst',
  xchg: 'dst',
  cmpxchg: 'dst',
  alu: 'dst',
  mov: 'src',
  movsx: 'src',
  jump: 'dst',
  addr_space_cast: 'src',
};

const texts = new Map<number, string>();

const textOf = (type: number): string => {
  let text = texts.get(type);
  if (text === undefined) {
    text = regTypeText(baseOf(type)) || 'scalar';
    texts.set(type, text);
  }
  return text;
};

/**
 * Rooms of the verifier that a program has entered, by name: what kind of instruction met what kind of register, and which helpers and
 * kfuncs were called.
 */
export function roomsEntered(program: Program, graph: ExploredGraph): Set<string> {
  const rooms = new Set<string>();
  const open: Arrival[] = graph.roots.slice();
  for (let looked = 0; open.length > 0 && looked < LOOKED_AT; looked++) {
    const { insn: at, frames, next } = open.pop()!;
    for (const after of next) open.push(after);
    const insn = program.insns[at];
    const kind = insn === undefined ? undefined : opcodeOf(insn)?.kind;
    if (insn === undefined || kind === undefined) continue;
    const operand = OPERAND[kind];
    if (operand !== undefined) {
      const type = frames.at(-1)!.regs[insn[operand]]?.type ?? NOT_INIT;
      if (type !== NOT_INIT) rooms.add(`${kind} ${textOf(type)}`);
    } else if (kind === 'call_helper' || kind === 'call_kfunc') rooms.add(`${kind} ${insn.imm}`);
    else rooms.add(kind);
  }
  return rooms;
}
