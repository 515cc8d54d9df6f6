import { BPF_PSEUDO_KFUNC_CALL } from '../../isa/constants.ts';
import type { Insn } from '../../isa/insn.ts';
import type { Env } from '../env.ts';
import { checkBounds } from '../insn/bounds_check.ts';
import { withMessage } from '../memory/region.ts';
import { convertToNonOwning } from '../objects/graph.ts';
import { processIterNext } from '../objects/iterator.ts';
import { isSleepable } from '../objects/rcu.ts';
import { releaseReference } from '../objects/references.ts';
import { pushStack } from '../paths.ts';
import { type Scalar, UNKNOWN } from '../scalar/scalar.ts';
import { sync } from '../scalar/sync.ts';
import { CALLER_SAVED, markRegNotInit, setRegTo } from '../state/access.ts';
import type { Frame } from '../state/frame.ts';
import { type Reg, scalarReg } from '../state/reg.ts';
import { pushCallbackCall } from './callback.ts';
import { checkKfuncArgs } from './kfunc_args.ts';
import { type KfuncMeta, newKfuncMeta } from './kfunc_meta.ts';
import { setKfuncResult } from './kfunc_result.ts';
import { applySections } from './kfunc_sections.ts';
import { hasFlag, hasRole, type KfuncShape, kfuncShape } from './kfunc_shape.ts';
import { clearPacketPointers } from './packet_pointers.ts';
import { checkReturnCode } from './return_code.ts';

/** Calls of kfuncs: kernel functions that are declared by BTF. Source: check_kfunc_call, kernel/bpf/verifier.c. */

const MAX_ERRNO = 4095;

/** An error number below zero, as a 32-bit and as a 64-bit value. */
function errnoScalar(): Scalar {
  const scalar = UNKNOWN.clone();
  scalar.s32min = -MAX_ERRNO;
  scalar.s32max = -1;
  scalar.sminLo = -MAX_ERRNO;
  scalar.sminHi = -1;
  scalar.smaxLo = -1;
  scalar.smaxHi = -1;
  return sync(scalar);
}

const LOCK_FAILED = errnoScalar();

/** Bytes of the cookie of a session. */
const COOKIE_SIZE = 8;

const forgetArguments = (frame: Frame): void => {
  for (let regno = 0; regno < CALLER_SAVED; regno++) markRegNotInit(frame, regno);
};

/** A resilient lock may not be had: that path is explored later. */
function queueFailedLock(env: Env): void {
  const branch = pushStack(env, env.insnIdx + 1, env.insnIdx, false);
  const frame = branch.writableTop();
  forgetArguments(frame);
  setRegTo(env, frame, 0, scalarReg(checkBounds(env, LOCK_FAILED, 's32_range')));
}

/** The kfunc as this program may call it. */
function selectKfunc(env: Env, insn: Insn): KfuncShape {
  const desc = env.kfuncs.get(insn.imm);
  if (!desc) return env.bug(`no kfunc ${insn.imm}`);
  const shape = kfuncShape(env, desc);
  if (!shape) env.reject('EACCES', `calling kernel function ${desc.name} is not allowed`);
  return shape;
}

/** Conditions on the program alone. */
function checkCaller(env: Env, shape: KfuncShape): void {
  if (hasRole(shape, 'trap')) env.reject('EFAULT', 'unexpected __bpf_trap() due to uninitialized variable?');
  if (hasFlag(shape, 'KF_DESTRUCTIVE') && !env.caps.sysAdmin)
    env.reject('EACCES', 'destructive kfunc calls require CAP_SYS_BOOT capability');
  if (hasFlag(shape, 'KF_SLEEPABLE') && !isSleepable(env))
    env.reject('EACCES', `program must be sleepable to call sleepable kfunc ${shape.desc.name}`);
}

const nameAndId = ({ desc }: KfuncShape): string => `kfunc ${desc.name}#${desc.btfId}`;

function queueCallback(env: Env, meta: KfuncMeta, insnIdx: number): void {
  const { callback } = meta.shape.entry;
  if (!callback) return;
  withMessage(env, `${nameAndId(meta.shape)} failed callback verification`, () => {
    meta.enterOnce = pushCallbackCall(env, insnIdx, meta.subprogno, callback);
  });
}

function release(env: Env, shape: KfuncShape, refObjId: number): void {
  if (!releaseReference(env, refObjId)) env.reject('EINVAL', `${nameAndId(shape)} reference has not been acquired before`);
}

/** Gives up what the call takes over: the object that it frees, or the node that a list or tree owns from now on. */
function releaseArguments(env: Env, meta: KfuncMeta): void {
  const { shape } = meta;
  const refOf = (regno: number): number => (env.cur.top.regs[regno] as Reg).refObjId;
  if (meta.releaseRegno !== 0) release(env, shape, refOf(meta.releaseRegno));
  if (!hasRole(shape, 'list_push_front') && !hasRole(shape, 'list_push_back') && !hasRole(shape, 'rbtree_add')) return;
  const refObjId = refOf(2);
  convertToNonOwning(env, refObjId);
  release(env, shape, refObjId);
}

/** The program ends here; without a callback of its own it returns the argument. */
function noteThrow(env: Env, shape: KfuncShape): void {
  if (!hasRole(shape, 'throw')) return;
  env.seenException = true;
  if (env.exceptionCallbackSubprog === 0) checkReturnCode(env, 1, 'R1');
}

/** Checks the call and changes the state as it does. A call of id 0 must turn out to be unreachable later. */
export function checkKfuncCall(env: Env, insn: Insn): void {
  if (insn.imm === 0) return;
  const { insnIdx } = env;
  const shape = selectKfunc(env, insn);
  env.facts.isIterNext[insnIdx] = shape.iterRole === 'next' ? 1 : 0;
  if (hasRole(shape, 'res_spin_lock') || hasRole(shape, 'res_spin_lock_irqsave')) queueFailedLock(env);
  checkCaller(env, shape);
  const meta = newKfuncMeta(shape);
  checkKfuncArgs(env, meta, insnIdx);
  queueCallback(env, meta, insnIdx);
  if (hasRole(shape, 'session_cookie')) meta.resultSize = COOKIE_SIZE;
  applySections(env, shape);
  releaseArguments(env, meta);
  noteThrow(env, shape);
  forgetArguments(env.cur.writableTop());
  setKfuncResult(env, meta, insnIdx);
  if (hasRole(shape, 'changes_packet_data')) clearPacketPointers(env);
  if (shape.iterRole === 'next' && meta.iter) processIterNext(env, insnIdx, meta.iter);
  meta.enterOnce?.();
}

/** The name of the kfunc that is called, if the call ends the program, through every function that it is in. */
export function throwerCalled(env: Env, insn: Insn): string | null {
  if (insn.src !== BPF_PSEUDO_KFUNC_CALL || insn.off !== 0) return null;
  const entry = env.kfuncs.get(insn.imm)?.entry;
  return entry?.roles?.includes('throw') ? entry.name : null;
}
