import {
  BPF_ABS,
  BPF_CALL,
  BPF_EXIT,
  BPF_IND,
  BPF_JA,
  BPF_JMP,
  BPF_JMP32,
  BPF_LD,
  classOf,
  modeOf,
  opOf,
} from '../../isa/constants.ts';
import type { Insn } from '../../isa/insn.ts';
import type { Env } from '../env.ts';
import { Subprog } from '../env.ts';
import { findExceptionCallback } from './exception_callback.ts';
import { addKfuncCall } from './kfunc_calls.ts';

/** Functions of a program. Source: add_subprog_and_kfunc, check_subprogs, kernel/bpf/verifier.c. */

const BPF_MAX_SUBPROGS = 256;
const LD_IMM64 = 0x18;
const BPF_PSEUDO_FUNC = 4;

export const isPseudoFunc = (insn: Insn): boolean => insn.code === LD_IMM64 && insn.src === BPF_PSEUDO_FUNC;
export const isHelperCall = (insn: Insn): boolean => insn.code === (BPF_JMP | BPF_CALL) && insn.src === 0;
export const isSubprogCall = (insn: Insn): boolean => insn.code === (BPF_JMP | BPF_CALL) && insn.src === 1;
export const isKfuncCall = (insn: Insn): boolean => insn.code === (BPF_JMP | BPF_CALL) && insn.src === 2;

/** Slots that an instruction takes. */
export const slotsOf = (insn: Insn): 1 | 2 => (insn.code === LD_IMM64 ? 2 : 1);

/** Distance of a jump, from the instruction behind it. */
export const jumpOffset = (insn: Insn): number => (insn.code === (BPF_JMP32 | BPF_JA) ? insn.imm : insn.off);

/** Number of the function that holds this instruction. */
export function findContainingSubprog(env: Env, index: number): number {
  const { subprogs } = env;
  let low = 0;
  let high = subprogs.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((subprogs[middle] as Subprog).start <= index) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Number of the function that starts here, -1 for none. */
export function findSubprog(env: Env, index: number): number {
  if (index < 0 || index >= env.insns.length || env.subprogs.length === 0) return -1;
  const found = findContainingSubprog(env, index);
  return env.subprogs[found]?.start === index ? found : -1;
}

/** The slot behind the last instruction of a function. */
export const subprogEnd = (env: Env, subprogno: number): number => env.subprogs[subprogno + 1]?.start ?? env.insns.length;

/** Name of a function in the program's BTF; empty without. */
export function subprogName(env: Env, subprogno: number): string {
  const { btf } = env.program;
  const typeId = env.subprogs[subprogno]?.btfTypeId ?? 0;
  return btf && typeId !== 0 ? btf.type(typeId).name : '';
}

function addSubprog(env: Env, start: number): void {
  if (start >= env.insns.length || start < 0) env.reject('EINVAL', 'call to invalid destination');
  if (findSubprog(env, start) >= 0) return;
  if (env.subprogs.length >= BPF_MAX_SUBPROGS) env.reject('E2BIG', 'too many subprograms');
  env.subprogs.push(new Subprog(start));
  env.subprogs.sort((a, b) => a.start - b.start);
}

/** Finds the functions that are called or referred to, and the kfuncs. */
export function addSubprogsAndKfuncs(env: Env): void {
  env.subprogs = [new Subprog(0)];
  env.insns.forEach((insn, index) => {
    const isFunc = isPseudoFunc(insn) || isSubprogCall(insn);
    if (!isFunc && !isKfuncCall(insn)) return;
    if (!env.bpfCapable)
      env.reject('EPERM', 'loading/calling other bpf or kernel functions are allowed for CAP_BPF and CAP_SYS_ADMIN');
    if (isFunc) addSubprog(env, index + insn.imm + 1);
    else addKfuncCall(env, insn);
  });
  const callback = findExceptionCallback(env);
  if (callback > 0) {
    addSubprog(env, callback);
    env.exceptionCallbackSubprog = findSubprog(env, callback);
    const sub = env.subprogs[env.exceptionCallbackSubprog] as Subprog;
    sub.isCallback = true;
    sub.isAsyncCallback = true;
    sub.isExceptionCallback = true;
  }
  if (!env.log.tracesAll) return;
  env.subprogs.forEach((sub, number) => {
    env.verbose(`func#${number} @${sub.start}\n`);
  });
}

const noteInsn = (env: Env, sub: Subprog, insn: Insn): void => {
  if (isHelperCall(insn) && env.profile.helpers[insn.imm]?.effects?.rule === 'tail_call') {
    sub.hasTailCall = true;
    sub.tailCallReachable = true;
  }
  if (classOf(insn.code) === BPF_LD && (modeOf(insn.code) === BPF_ABS || modeOf(insn.code) === BPF_IND)) sub.hasLdAbs = true;
};

const isJumpClass = (code: number): boolean => classOf(code) === BPF_JMP || classOf(code) === BPF_JMP32;

/** Jumps stay inside their function, and no function falls through into the next (check_subprogs). */
export function checkSubprogs(env: Env): void {
  for (let number = 0; number < env.subprogs.length; number++) {
    const sub = env.subprogs[number] as Subprog;
    const end = subprogEnd(env, number);
    for (let index = sub.start; index < end; index++) {
      const insn = env.insn(index);
      noteInsn(env, sub, insn);
      const op = opOf(insn.code);
      if (isJumpClass(insn.code) && op !== BPF_EXIT && op !== BPF_CALL) {
        const target = index + jumpOffset(insn) + 1;
        if (target < sub.start || target >= end) env.reject('EINVAL', `jump out of range from insn ${index} to ${target}`);
      }
    }
    const { code } = env.insn(end - 1);
    if (code !== (BPF_JMP | BPF_EXIT) && code !== (BPF_JMP32 | BPF_JA) && code !== (BPF_JMP | BPF_JA))
      env.reject('EINVAL', 'last insn is not an exit or jmp');
  }
}
