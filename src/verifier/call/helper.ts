import { UNSPEC_HELPER_NAME } from '../../contracts/helper.ts';
import type { Insn } from '../../isa/insn.ts';
import type { Env } from '../env.ts';
import { checkMemAccess } from '../memory/access.ts';
import { unmarkDynptr } from '../objects/dynptr.ts';
import { isInRcuSection } from '../objects/rcu.ts';
import { invalidReg, releaseReference, releaseReferenceNoMark } from '../objects/references.ts';
import { pushStack } from '../paths.ts';
import { clearCallerSavedRegs, isNullReg, markRegUnknown } from '../state/access.ts';
import { replaceRegs } from '../state/each.ts';
import type { Reg } from '../state/reg.ts';
import { BASE_MASK, MEM_ALLOC, MEM_PERCPU, MEM_RCU } from '../state/reg_types.ts';
import { ARG_PTR_TO_DYNPTR, type PreparedHelper, preparedHelper } from './arg_types.ts';
import { checkHelperArg } from './helper_args.ts';
import { setHelperResult } from './helper_result.ts';
import { applyHelperRule, checkHelperTarget } from './helper_rules.ts';
import { checkMapHelper, recordKey, recordMap } from './map_rules.ts';
import { type CallMeta, emptyMeta } from './meta.ts';
import { clearPacketPointers } from './packet_pointers.ts';
import { prepareFuncExit } from './subprogram.ts';

/** Calls of helpers. Source: check_helper_call, kernel/bpf/verifier.c. */

const MAX_ARGS = 5;

/** The prototype that this program gets. */
function selectHelper(env: Env, insn: Insn): PreparedHelper {
  const helper = env.profile.helpers[insn.imm];
  if (!helper) {
    if (insn.imm === 0) env.reject('EINVAL', `program of this type cannot use helper ${UNSPEC_HELPER_NAME}#0`);
    return env.reject('EINVAL', `invalid func unknown#${insn.imm}`);
  }
  const prepared = preparedHelper(env, helper);
  if (!prepared) return env.reject('EINVAL', `program of this type cannot use helper ${helper.name}#${helper.id}`);
  const { proto } = prepared;
  if (proto.gplOnly && !env.isGplCompatible)
    env.reject('EINVAL', 'cannot call GPL-restricted function from non-GPL compatible program');
  if (proto.allowed && !proto.allowed(env.subject, env.profile.facts))
    env.reject('EINVAL', 'helper call is not allowed in probe');
  return prepared;
}

/** A helper that may sleep is called where the program may. */
function checkSleep(env: Env, { helper }: PreparedHelper): void {
  const { cur } = env;
  if (!cur.inSleepable) env.reject('EINVAL', 'helper call might sleep in a non-sleepable prog');
  const refuseIn = (region: string): never =>
    env.reject('EINVAL', `sleepable helper ${helper.name}#${helper.id} in ${region} region`);
  if (cur.activeRcuLock) refuseIn('rcu_read_lock');
  if (cur.activePreemptLocks > 0) refuseIn('non-preemptible');
  if (cur.activeIrqId !== 0) refuseIn('IRQ-disabled');
}

/** The helper fills uninitialised stack memory: every byte is written as by a store. */
function writeRawMemory(env: Env, meta: CallMeta, insnIdx: number): void {
  for (let at = 0; at < meta.accessSize; at++) checkMemAccess(env, insnIdx, meta.regno, at, 1, true, -1, false, false);
}

/** The new owner of an exchanged object is a map; a per-CPU object can still be read as long as RCU protects it. */
function releaseExchanged(env: Env, refObjId: number): boolean {
  if (!releaseReferenceNoMark(env.cur, refObjId)) return false;
  const inRcu = isInRcuSection(env);
  const invalid = invalidReg(env);
  replaceRegs(env.cur, (reg) => {
    if (reg.refObjId !== refObjId) return reg;
    if (!inRcu || (reg.type & MEM_ALLOC) === 0 || (reg.type & MEM_PERCPU) === 0) return invalid;
    const kept = reg.clone();
    kept.refObjId = 0;
    kept.type = (reg.type & ~MEM_ALLOC) | MEM_RCU;
    return kept;
  });
  return true;
}

/** What the helper releases is gone, in every copy. */
function releaseArg(env: Env, prepared: PreparedHelper, meta: CallMeta): void {
  const { releaseRegno, refObjId } = meta;
  if (releaseRegno === 0) return;
  const { helper } = prepared;
  if (((prepared.argTypes[releaseRegno - 1] ?? 0) & BASE_MASK) === ARG_PTR_TO_DYNPTR) {
    unmarkDynptr(env, releaseRegno);
    return;
  }
  let released: boolean;
  if (refObjId === 0) released = isNullReg(env.cur.top.regs[releaseRegno] as Reg);
  else released = helper.effects?.rule === 'kptr_xchg' ? releaseExchanged(env, refObjId) : releaseReference(env, refObjId);
  if (!released) env.reject('EINVAL', `func ${helper.name}#${helper.id} reference has not been acquired before`);
}

/**
 * A tail call does not come back, unless it fails. From a function it leaves that function as well, with whatever the called
 * program returns. True when the packet may have moved where the path goes on.
 */
function leaveByTailCall(env: Env, insnIdx: number): boolean {
  if (env.cur.curframe === 0) return false;
  env.scratchReg(0);
  pushStack(env, insnIdx + 1, insnIdx, false);
  clearPacketPointers(env);
  markRegUnknown(env, env.cur.writableTop(), 0);
  prepareFuncExit(env);
  env.insnIdx--;
  return true;
}

/** Checks the call and advances the state over it. */
export function checkHelperCall(env: Env, insn: Insn): void {
  const insnIdx = env.insnIdx;
  const prepared = selectHelper(env, insn);
  const { helper, proto } = prepared;
  if (proto.mightSleep) checkSleep(env, prepared);
  const meta = emptyMeta();
  meta.packetAccess = proto.packetAccess ?? false;
  meta.helperId = helper.id;
  for (let index = 0; index < MAX_ARGS; index++) checkHelperArg(env, prepared, index, meta, insnIdx);
  recordMap(env, helper, meta, insnIdx);
  recordKey(env, helper, meta, insnIdx);
  writeRawMemory(env, meta, insnIdx);
  releaseArg(env, prepared, meta);
  const effect = applyHelperRule(env, prepared, meta, insnIdx);
  clearCallerSavedRegs(env, env.cur.writableTop());
  setHelperResult(env, prepared, meta, effect.allocatedPerCpu, insnIdx);
  checkMapHelper(env, meta.map, helper);
  checkHelperTarget(env, helper);
  let movesPacket = (helper.effects?.changesPacketData ?? false) || effect.movesPacket;
  if (helper.effects?.rule === 'tail_call') movesPacket = leaveByTailCall(env, insnIdx) && movesPacket;
  if (movesPacket) clearPacketPointers(env);
  meta.enterOnce?.();
}
