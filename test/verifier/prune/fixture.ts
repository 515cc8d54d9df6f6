import type { HelperEffects } from '../../../src/contracts/helper.ts';
import type { Profile } from '../../../src/contracts/profile.ts';
import type { ProgType } from '../../../src/contracts/prog_type.ts';
import { ALL_CAPABILITIES, NO_CAPABILITIES, type Subject } from '../../../src/contracts/subject.ts';
import { type Insn, insn } from '../../../src/isa/insn.ts';
import { EMPTY_PROGRAM, type Program } from '../../../src/program/program.ts';
import { Env, Subprog } from '../../../src/verifier/env.ts';
import { Log } from '../../../src/verifier/log/log.ts';
import { insnSuccessors, succ0, succ1 } from '../../../src/verifier/program/cfg.ts';
import { initLiveness } from '../../../src/verifier/prune/liveness.ts';
import { constImm, Scalar } from '../../../src/verifier/scalar/scalar.ts';
import { Frame, NO_CALLSITE } from '../../../src/verifier/state/frame.ts';
import { type Reg, scalarReg, stackPointerReg } from '../../../src/verifier/state/reg.ts';
import { State } from '../../../src/verifier/state/state.ts';

export const movK = (dst: number, imm: number): Insn => insn(0xb7, dst, 0, 0, imm);
export const movX = (dst: number, src: number): Insn => insn(0xbf, dst, src, 0, 0);
export const addX = (dst: number, src: number): Insn => insn(0x0f, dst, src, 0, 0);
export const addK = (dst: number, imm: number): Insn => insn(0x07, dst, 0, 0, imm);
export const neg = (dst: number): Insn => insn(0x87, dst, 0, 0, 0);
export const load = (dst: number, src: number, off: number): Insn => insn(0x79, dst, src, off, 0);
export const store = (dst: number, src: number, off: number): Insn => insn(0x7b, dst, src, off, 0);
export const storeImm = (dst: number, off: number, imm: number): Insn => insn(0x7a, dst, 0, off, imm);
export const jgtK = (dst: number, imm: number, off: number): Insn => insn(0x25, dst, 0, off, imm);
export const jgtX = (dst: number, src: number, off: number): Insn => insn(0x2d, dst, src, off, 0);
export const ja = (off: number): Insn => insn(0x05, 0, 0, off, 0);
export const callHelper = (id: number): Insn => insn(0x85, 0, 0, 0, id);
export const callSubprog = (delta: number): Insn => insn(0x85, 0, 1, 0, delta);
export const callKfunc = (id: number): Insn => insn(0x85, 0, 2, 0, id);
export const mayGoto = (off: number): Insn => insn(0xe5, 0, 0, off, 0);
export const exit = (): Insn => insn(0x95, 0, 0, 0, 0);

export const HELPER_PLAIN = 7;
export const HELPER_TAIL_CALL = 12;

const helper = (name: string, effects: HelperEffects): unknown => ({
  id: 0,
  name,
  protos: [],
  available: [],
  effects,
  summary: '',
});
const helpers: unknown[] = [];
helpers[HELPER_PLAIN] = helper('bpf_get_prandom_u32', {});
helpers[HELPER_TAIL_CALL] = helper('bpf_tail_call', { rule: 'tail_call' });

export interface Options {
  readonly level?: number;
  readonly privileged?: boolean;
  readonly testStateFreq?: boolean;
  /** first instructions of the functions */
  readonly subprogs?: readonly number[];
}

export interface Bench {
  readonly env: Env;
  /** the log so far, cleared by asking */
  readonly log: () => string;
}

/** Instructions of one function in postorder, as a depth-first walk over successors leaves them. */
function postorderFrom(insns: readonly Insn[], start: number): number[] {
  const order: number[] = [];
  const seen = new Set<number>();
  const visit = (at: number): void => {
    if (seen.has(at)) return;
    seen.add(at);
    const count = insnSuccessors(insns, at);
    const next = [succ0, succ1].slice(0, count);
    for (const to of next) visit(to);
    order.push(at);
  };
  visit(start);
  return order;
}

/** An environment around hand-written instructions, with everything the passes before exploration would have found. */
export function bench(insns: readonly Insn[], options: Options = {}): Bench {
  const caps = options.privileged === false ? NO_CAPABILITIES : ALL_CAPABILITIES;
  const program: Program = { ...EMPTY_PROGRAM, name: 'test', section: 'socket', type: 1, insns };
  const subject: Subject = {
    type: 1,
    attachType: 0,
    attachName: null,
    structOpsMember: null,
    sleepable: false,
    caps,
    program,
  };
  let text = '';
  const log = new Log(options.level ?? 0, (piece) => {
    text += piece;
  });
  const profile = { name: 'test', version: [6, 18, 0], helpers, kfuncs: new Map() } as unknown as Profile;
  const flags = { strictAlignment: false, testStateFreq: options.testStateFreq ?? false, testRegInvariants: false };
  const env = new Env({ profile, program, progType: {} as ProgType, subject, flags, log, budget: 1_000_000, target: [] });
  const starts = options.subprogs ?? [0];
  const order: number[] = [];
  env.subprogs = starts.map((start) => {
    const subprog = new Subprog(start);
    subprog.postorderStart = order.length;
    order.push(...postorderFrom(insns, start));
    return subprog;
  });
  env.postorder = Int32Array.from(order);
  env.facts.liveRegsBefore.fill(0x7ff);
  initLiveness(env);
  env.cur = entryState();
  return {
    env,
    log: () => {
      log.finish();
      const taken = text;
      text = '';
      return taken;
    },
  };
}

export function entryState(subprogno = 0): State {
  const state = new State();
  const frame = new Frame(NO_CALLSITE, 0, subprogno);
  frame.setReg(10, stackPointerReg(0));
  state.frames[0] = frame;
  state.branches = 1;
  state.lastInsnIdx = -1;
  return state;
}

/** Enters function `subprogno` from the call at `callsite`. */
export function enter(state: State, callsite: number, subprogno: number): Frame {
  const frame = new Frame(callsite, state.curframe + 1, subprogno);
  frame.setReg(10, stackPointerReg(state.curframe + 1));
  state.curframe++;
  state.frames[state.curframe] = frame;
  return frame;
}

export const constReg = (value: number, id = 0): Reg => {
  const reg = scalarReg(constImm(value)).clone();
  reg.id = id;
  return reg;
};

/** A scalar from 0 to `max`, below 2^31, with the bits that follow. */
export const upTo = (max: number): Scalar => {
  const mask = max === 0 ? 0 : (2 ** (32 - Math.clz32(max)) - 1) | 0;
  return new Scalar(0, 0, mask, 0, 0, 0, max, 0, 0, 0, max, 0, 0, max, 0, max);
};

export const rangeReg = (max: number, id = 0): Reg => {
  const reg = scalarReg(upTo(max)).clone();
  reg.id = id;
  return reg;
};

export const withFields = (reg: Reg, fields: Partial<Reg>): Reg => Object.assign(reg.clone(), fields);
