import { FIELD_BITS } from '../../btf/special.ts';
import { Bug } from '../../contracts/errors.ts';
import type { CallbackEntry, CallbackSpec } from '../../contracts/helper.ts';
import { BPF_PSEUDO_KFUNC_CALL } from '../../isa/constants.ts';
import type { Env } from '../env.ts';
import { constDynptrReg, DYNPTR_LOCAL, mutableDynptrReg } from '../objects/dynptr.ts';
import { graphNodeReg, nonOwning } from '../objects/graph.ts';
import { fieldAt } from '../objects/map_fields.ts';
import { pushAsyncCallback, pushStack } from '../paths.ts';
import { copyRegTo, markRegNotInit, setRegTo } from '../state/access.ts';
import type { Frame } from '../state/frame.ts';
import type { MapInfo } from '../state/map_info.ts';
import { mapOf, pointerReg, type Reg, UNKNOWN_REG } from '../state/reg.ts';
import { CONST_PTR_TO_MAP, PTR_TO_BTF_ID, PTR_TO_MAP_KEY, PTR_TO_MAP_VALUE } from '../state/reg_types.ts';
import { beginSubprogram, matchSubprogTypes, newFuncEntry, setupFuncEntry } from './subprogram.ts';

/** Functions that a helper or kfunc calls. Source: push_callback_call and set_*_callback_state, kernel/bpf/verifier.c. */

/** Gives the callee its registers, from those of the frame that made the call. R1 to R5 that it leaves alone are unreadable. */
type SetCallbackArgs = (env: Env, caller: Frame, callee: Frame, spec: CallbackSpec) => void;

const passOn = (caller: Frame, from: number, callee: Frame, to: number): void =>
  copyRegTo(callee, to, caller.regs[from] as Reg, caller.isPreciseReg(from));

/** (map, key, value): the map may be taken from the pointer to it, or to a value of it, in register `regno` of the caller. */
const setMapArgs = (caller: Frame, regno: number, callee: Frame): void => {
  const map: MapInfo = mapOf(caller.regs[regno] as Reg);
  callee.setReg(1, pointerReg(CONST_PTR_TO_MAP, map));
  callee.setReg(2, pointerReg(PTR_TO_MAP_KEY, map));
  callee.setReg(3, pointerReg(PTR_TO_MAP_VALUE, map));
};

const SET_ARGS: Readonly<Record<CallbackEntry, SetCallbackArgs>> = {
  for_each_map_elem: (env, caller, callee) => {
    const map = mapOf(caller.regs[1] as Reg);
    if (!map.type.forEach) env.reject('ENOTSUPP', 'callback function not allowed for map');
    setMapArgs(caller, 1, callee);
    passOn(caller, 1, callee, 1);
    passOn(caller, 3, callee, 4);
  },
  loop: (env, caller, callee) => {
    setRegTo(env, callee, 1, UNKNOWN_REG);
    passOn(caller, 3, callee, 2);
  },
  timer: (_env, caller, callee) => setMapArgs(caller, 1, callee),
  task_work: (_env, caller, callee) => setMapArgs(caller, 3, callee),
  find_vma: (env, caller, callee) => {
    const { btf } = env.profile;
    const area = btf.findByName('vm_area_struct', 'STRUCT');
    if (!area) throw new Bug('no struct vm_area_struct');
    passOn(caller, 1, callee, 1);
    callee.setReg(2, pointerReg(PTR_TO_BTF_ID, btf, area.id));
    passOn(caller, 4, callee, 3);
  },
  user_ringbuf_drain: (env, caller, callee, spec) => {
    const dynptrReg = spec.dynptr === 'PTR_TO_DYNPTR' ? mutableDynptrReg : constDynptrReg;
    callee.setReg(1, dynptrReg(DYNPTR_LOCAL, env.newId()));
    passOn(caller, 3, callee, 2);
  },
  rbtree_add_less: (env, caller, callee) => {
    const reg = caller.regs[1] as Reg;
    const root = fieldAt(env, reg, reg.off, FIELD_BITS.BPF_RB_ROOT)?.graphRoot;
    if (!root) return env.refuse('EFAULT');
    callee.setReg(1, nonOwning(env, graphNodeReg(root)));
    callee.setReg(2, nonOwning(env, graphNodeReg(root)));
  },
};

function setCallbackArgs(env: Env, spec: CallbackSpec, caller: Frame, callee: Frame): void {
  for (let regno = 1; regno <= 5; regno++) markRegNotInit(callee, regno);
  SET_ARGS[spec.enter](env, caller, callee, spec);
  [callee.callbackReturnMin, callee.callbackReturnMax] = spec.returns;
  if (spec.kind === 'async') callee.inAsyncCallback = true;
  else callee.inCallback = true;
}

/**
 * The call at `insnIdx` passes function `subprogno` to be called back. It is queued: an asynchronous callback on a stack of its
 * own; any other as a call from here, after which the path comes back to this call instruction (push_callback_call). One that is
 * explored once is not queued: the path goes through it on its way behind the call, as soon as the answer, a function, is called.
 */
export function pushCallbackCall(env: Env, insnIdx: number, subprogno: number, spec: CallbackSpec): (() => void) | null {
  const sub = env.subprogs[subprogno];
  if (!sub) throw new Bug(`no function ${subprogno}`);
  matchSubprogTypes(env, subprogno);
  sub.isCallback = true;
  if (spec.kind === 'async') {
    sub.isAsyncCallback = true;
    const state = pushAsyncCallback(env, sub.start, insnIdx, subprogno, spec.sleepable ?? false);
    const callee = state.writableFrame(0);
    callee.asyncEntryCount = env.cur.top.asyncEntryCount + 1;
    setCallbackArgs(env, spec, env.cur.top, callee);
    return null;
  }
  if (spec.explored === 'once') {
    const callee = newFuncEntry(env, env.cur, subprogno, insnIdx, (from, to) => setCallbackArgs(env, spec, from, to));
    return () => beginSubprogram(env, subprogno, callee);
  }
  const state = pushStack(env, sub.start, insnIdx, false);
  setupFuncEntry(env, state, subprogno, insnIdx, (caller, callee) => setCallbackArgs(env, spec, caller, callee));
  state.callbackUnrollDepth++;
  state.writableFrame(state.curframe - 1).callbackDepth++;
  env.cur.writableTop().callbackDepth = 0;
  return null;
}

/** The current function compares nodes for a call that adds to a tree under its lock (in_rbtree_lock_required_cb). */
export function isInRbtreeCallback(env: Env): boolean {
  const frame = env.cur.top;
  if (env.cur.curframe === 0 || !frame.inCallback) return false;
  const insn = env.insn(frame.callsite);
  if (insn.src !== BPF_PSEUDO_KFUNC_CALL) return false;
  return env.kfuncs.get(insn.imm)?.entry?.roles?.includes('rbtree_add') ?? false;
}
