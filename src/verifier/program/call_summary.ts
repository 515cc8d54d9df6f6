import type { CallbackSpec } from '../../contracts/helper.ts';
import type { Insn } from '../../isa/insn.ts';
import type { Env } from '../env.ts';
import { isHelperCall, isKfuncCall } from './subprogs.ts';

/** What can be told about a call without looking at its arguments (get_call_summary and kin, kernel/bpf/verifier.c). */
export interface CallSummary {
  /** registers r1 to rN that it reads; -1 where the callee may not be called, so that nothing is known */
  readonly params: number;
  readonly isVoid: boolean;
  /** registers beside its own survive it (bpf_fastcall) */
  readonly fastcall: boolean;
  readonly mightSleep: boolean;
  readonly changesPacketData: boolean;
  /** `once`: explored as a plain call, not as a loop */
  readonly callback: 'sync' | 'async' | 'once' | null;
  readonly isIterNext: boolean;
}

const callbackKind = (spec: CallbackSpec | undefined): CallSummary['callback'] => spec?.explored ?? spec?.kind ?? null;

/** Null for calls of BPF functions and of unknown callees. */
export function callSummary(env: Env, insn: Insn): CallSummary | null {
  if (isHelperCall(insn)) {
    const helper = env.profile.helpers[insn.imm];
    const proto = helper ? env.profile.selectProto(helper, env.subject) : null;
    if (!helper) return null;
    // the classes of a helper count even where it may not be called
    const callback = callbackKind(helper.effects?.callback);
    const changesPacketData = helper.effects?.changesPacketData ?? false;
    if (!proto)
      return { params: -1, isVoid: false, fastcall: false, mightSleep: false, changesPacketData, callback, isIterNext: false };
    return {
      params: proto.args.length,
      isVoid: proto.ret.base === 'RET_VOID',
      fastcall: (proto.allowFastcall ?? false) && (helper.effects?.inlined ?? false),
      mightSleep: proto.mightSleep ?? false,
      changesPacketData,
      callback,
      isIterNext: false,
    };
  }
  if (!isKfuncCall(insn)) return null;
  const desc = env.kfuncs.get(insn.imm);
  if (!desc) return null;
  const { entry, proto } = desc;
  const isAllowed = entry !== null && env.profile.kfuncAllowed(entry, env.subject);
  const callback = callbackKind(entry?.callback);
  if (!isAllowed)
    return {
      params: -1,
      isVoid: false,
      fastcall: false,
      mightSleep: false,
      changesPacketData: false,
      callback,
      isIterNext: false,
    };
  return {
    params: proto.params.length,
    isVoid: env.profile.btf.skipModifiers(proto.ret).kind === 'VOID',
    fastcall: entry.flags.includes('KF_FASTCALL'),
    mightSleep: entry.flags.includes('KF_SLEEPABLE'),
    changesPacketData: entry.roles?.includes('changes_packet_data') ?? false,
    callback,
    isIterNext: entry.flags.includes('KF_ITER_NEXT'),
  };
}
