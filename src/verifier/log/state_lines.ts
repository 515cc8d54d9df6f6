import type { Btf } from '../../btf/btf.ts';
import { ITER_STRUCT_PREFIX } from '../../btf/special.ts';
import type { Env } from '../env.ts';
import { isConst } from '../scalar/scalar.ts';
import type { Frame } from '../state/frame.ts';
import { BPF_ADD_CONST, btfOf, mapOf, type Reg } from '../state/reg.ts';
import {
  baseOf,
  CONST_PTR_TO_DYNPTR,
  CONST_PTR_TO_MAP,
  isMaybeNull,
  isPacketPointer,
  MEM_ALLOC,
  MEM_PERCPU,
  MEM_RCU,
  MEM_RDONLY,
  MEM_RINGBUF,
  MEM_USER,
  NON_OWN_REF,
  NOT_INIT,
  PTR_TO_ARENA,
  PTR_TO_BTF_ID,
  PTR_TO_MAP_KEY,
  PTR_TO_MAP_VALUE,
  PTR_TO_MEM,
  PTR_TO_STACK,
  PTR_TRUSTED,
  PTR_UNTRUSTED,
  SCALAR_VALUE,
} from '../state/reg_types.ts';
import { SLOT_LETTERS, type Slot, STACK_DYNPTR, STACK_ITER, STACK_SPILL, slotType } from '../state/stack_slot.ts';
import type { State } from '../state/state.ts';
import { offsetText, scalarTexts, signedText, unsignedText } from './scalar_text.ts';

/** State lines of the log. Source: print_verifier_state and around it, kernel/bpf/log.c. */

/** Names of the base types, by number. */
const BASE_TEXTS = [
  '?',
  'scalar',
  'ctx',
  'map_ptr',
  'map_value',
  'map_key',
  'fp',
  'pkt_meta',
  'pkt',
  'pkt_end',
  'flow_keys',
  'sock',
  'sock_common',
  'tcp_sock',
  'tp_buffer',
  'xdp_sock',
  'ptr_',
  'mem',
  'arena',
  'buf',
  'func',
  'dynptr_ptr',
] as const;

const PREFIXES: readonly (readonly [flag: number, text: string])[] = [
  [MEM_RDONLY, 'rdonly_'],
  [MEM_RINGBUF, 'ringbuf_'],
  [MEM_USER, 'user_'],
  [MEM_PERCPU, 'percpu_'],
  [MEM_RCU, 'rcu_'],
  [PTR_UNTRUSTED, 'untrusted_'],
  [PTR_TRUSTED, 'trusted_'],
];

const DYNPTR_TEXTS = ['<invalid>', 'local', 'ringbuf', 'skb', 'xdp', 'skb_meta'] as const;
const ITER_STATES = ['<invalid>', 'active', 'drained'] as const;

/** Characters of a map's name that the kernel keeps (BPF_OBJ_NAME_LEN without its end). */
const MAP_NAME_MAX = 15;

/** The register type in words, as messages quote it (reg_type_str). */
export function regTypeText(type: number): string {
  let text = '';
  for (const [flag, prefix] of PREFIXES) if ((type & flag) !== 0) text += prefix;
  text += BASE_TEXTS[baseOf(type)] ?? '<unknown>';
  if (isMaybeNull(type)) text += baseOf(type) === PTR_TO_BTF_ID ? 'or_null_' : '_or_null';
  return text;
}

/** dynptr_type_str */
export const dynptrTypeText = (type: number): string => DYNPTR_TEXTS[type] ?? '<unknown>';

/** iter_type_str: the name of the iterator's struct without its prefix */
export const iterTypeText = (btf: Btf | null, btfId: number): string => {
  if (!btf || btfId === 0) return '<invalid>';
  const { name } = btf.type(btfId);
  return name.startsWith(ITER_STRUCT_PREFIX) ? name.slice(ITER_STRUCT_PREFIX.length) : name;
};

/** iter_state_str */
export const iterStateText = (state: number): string => ITER_STATES[state] ?? '<unknown>';

const isMapPointer = (base: number): boolean => base === CONST_PTR_TO_MAP || base === PTR_TO_MAP_KEY || base === PTR_TO_MAP_VALUE;

function regParts(reg: Reg): string[] {
  const { type, scalar } = reg;
  const base = baseOf(type);
  const parts: string[] = [];
  if (reg.id !== 0) {
    const distance = (reg.id & BPF_ADD_CONST) !== 0 ? (reg.off < 0 ? String(reg.off) : `+${reg.off}`) : '';
    parts.push(`id=${reg.id & ~BPF_ADD_CONST}${distance}`);
  }
  if (reg.refObjId !== 0) parts.push(`ref_obj_id=${reg.refObjId}`);
  if (base === PTR_TO_BTF_ID && (type & MEM_ALLOC) !== 0 && (type & NON_OWN_REF) !== 0) parts.push('non_own_ref');
  if (isMapPointer(base)) {
    const { def } = mapOf(reg);
    if (def.name !== '') parts.push(`map=${def.name.slice(0, MAP_NAME_MAX)}`);
    parts.push(`ks=${def.keySize},vs=${def.valueSize}`);
  }
  if (type !== SCALAR_VALUE && reg.off !== 0) parts.push(`off=${offsetText(reg.off)}`);
  if (isPacketPointer(type)) parts.push(`r=${unsignedText(reg.aux, reg.aux < 0 ? -1 : 0)}`);
  if (base === PTR_TO_MEM) parts.push(`sz=${unsignedText(reg.aux, 0)}`);
  if (type === CONST_PTR_TO_DYNPTR) parts.push(`type=${dynptrTypeText(reg.aux)}`);
  if (!isConst(scalar)) parts.push(...scalarTexts(scalar));
  else if ((scalar.valueLo | scalar.valueHi) !== 0) parts.push(`imm=${signedText(scalar.valueLo, scalar.valueHi)}`);
  return parts;
}

/** One register as it prints behind `R1=`; `frameno` is the frame it stands in (print_reg_state). */
export function regText(reg: Reg, frameno: number, precise: boolean): string {
  const { type, scalar } = reg;
  const mark = type === SCALAR_VALUE && precise ? 'P' : '';
  if (type === SCALAR_VALUE && isConst(scalar)) return mark + signedText(scalar.valueLo, scalar.valueHi);
  let text = mark + regTypeText(type);
  if (type === PTR_TO_ARENA) return text;
  if (type === PTR_TO_STACK) {
    if (frameno !== reg.frameno) text += `[${reg.frameno}]`;
    if (isConst(scalar)) return text + offsetText(scalar.valueLo + reg.off);
  }
  if (baseOf(type) === PTR_TO_BTF_ID) text += btfOf(reg).type(reg.aux).name;
  return `${text}(${regParts(reg).join(',')})`;
}

const typeLetters = (slot: Slot): string => {
  let text = '';
  for (let i = 0; i < 8; i++) text += SLOT_LETTERS[slotType(slot, i)];
  return text;
};

/** The letters of the bytes beside a narrow spill. */
const spillLetters = (slot: Slot): string => {
  let text = '';
  for (let i = 0; i < 8 && slotType(slot, i) !== STACK_SPILL; i++) text += SLOT_LETTERS[slotType(slot, i)];
  return text;
};

function dynptrText(reg: Reg): string {
  const parts: string[] = [];
  if (reg.id !== 0) parts.push(`id=${reg.id}`);
  if (reg.refObjId !== 0) parts.push(`ref_id=${reg.refObjId}`);
  // the kernel's dynptr_id shares its place with the mark of the first slot, and prints it
  if (reg.aux2 !== 0) parts.push(`dynptr_id=${reg.aux2}`);
  return `=dynptr_${dynptrTypeText(reg.aux)}(${parts.join(',')})`;
}

/** Slots of one frame: `fp-8=...`; those of a dynptr print once, at their lower address. */
function slotTexts(env: Env, frame: Frame, printAll: boolean): string {
  let text = '';
  for (let spi = 0; spi < frame.slots.length; spi++) {
    if (!printAll && !env.isSlotScratched(spi)) continue;
    const slot = frame.slot(spi);
    if ((slot.typesLo | slot.typesHi) === 0) continue;
    const at = ` fp${-(spi + 1) * 8}`;
    switch (slotType(slot, 7)) {
      case STACK_SPILL:
        text += `${at}=${spillLetters(slot)}${regText(slot.reg, frame.frameno, frame.isPreciseSlot(spi))}`;
        break;
      case STACK_DYNPTR:
        spi++;
        text += ` fp${-(spi + 1) * 8}${dynptrText(frame.slot(spi).reg)}`;
        break;
      case STACK_ITER: {
        const { reg } = slot;
        if (reg.refObjId === 0) break;
        const iterState = iterStateText(reg.aux2 & 3);
        const iterType = iterTypeText(btfOf(reg), reg.aux);
        text += `${at}=iter_${iterType}(ref_id=${reg.refObjId},state=${iterState},depth=${reg.aux2 >>> 2})`;
        break;
      }
      default:
        text += `${at}=${typeLetters(slot)}`;
    }
  }
  return text;
}

function refsText(state: State): string {
  if (state.refs.length === 0 || state.refs[0]?.id === 0) return '';
  const ids = state.refs.map((ref) => ref.id).filter((id) => id !== 0);
  return ` refs=${ids.join(',')}`;
}

/**
 * Registers and stack of one frame, to the end of the line: all of them, or only what changed since the last such line
 * (print_verifier_state).
 */
export function printVerifierState(env: Env, state: State, frameno: number, printAll: boolean): void {
  const frame = state.frame(frameno);
  let text = frame.frameno !== 0 ? ` frame${frame.frameno}:` : '';
  for (let regno = 0; regno < frame.regs.length; regno++) {
    const reg = frame.regs[regno] as Reg;
    if (reg.type === NOT_INIT || (!printAll && ((env.scratchedRegs >>> regno) & 1) === 0)) continue;
    text += ` R${regno}=${regText(reg, frame.frameno, frame.isPreciseReg(regno))}`;
  }
  text += slotTexts(env, frame, printAll) + refsText(state);
  if (frame.inCallback) text += ' cb';
  if (frame.inAsyncCallback) text += ' async_cb';
  env.log.trace(`${text}\n`);
  if (!printAll) env.cleanScratches();
}
