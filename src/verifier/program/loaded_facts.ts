import type { Insn } from '../../isa/insn.ts';
import type { Env } from '../env.ts';
import { MEM_ALLOC, MEM_RDONLY, PTR_TO_BTF_ID, PTR_TO_MEM, PTR_UNTRUSTED } from '../state/reg_types.ts';
import type { LoadedFacts } from '../verdict.ts';

/** Loads through these pointer types are made fault-protected (convert_ctx_accesses). */
const PROBED: ReadonlySet<number> = new Set([
  PTR_TO_BTF_ID,
  PTR_TO_BTF_ID | PTR_UNTRUSTED,
  PTR_TO_BTF_ID | MEM_ALLOC | PTR_UNTRUSTED,
  PTR_TO_MEM | MEM_RDONLY | PTR_UNTRUSTED,
]);

const BPF_CLASS_MASK = 7;
const BPF_LDX = 1;
const LD_IMM64 = 0x18;

/** Slots that paths came to, and those among them whose loads are fault-protected. */
function slotsOf({ facts, insns }: Pick<Env, 'facts' | 'insns'>): Pick<LoadedFacts, 'probeLoads' | 'reached'> {
  const { ptrType, seen } = facts;
  const probeLoads = new Set<number>();
  const reached = new Set<number>();
  for (let index = 0; index < insns.length; index++) {
    if (seen[index] === 0) continue;
    reached.add(index);
    const { code } = insns[index] as Insn;
    if (code === LD_IMM64) reached.add(index + 1);
    if ((code & BPF_CLASS_MASK) === BPF_LDX && PROBED.has(ptrType[index] as number)) probeLoads.add(index);
  }
  return { probeLoads, reached };
}

/** What the program is to be run with, read off the facts about its instructions; the sets are made when they are asked for. */
export function loadedFacts(env: Env): LoadedFacts {
  const { facts, insns } = env;
  let made: ReturnType<typeof slotsOf> | null = null;
  const slots = () => {
    made ??= slotsOf({ facts, insns });
    return made;
  };
  return {
    get probeLoads() {
      return slots().probeLoads;
    },
    get reached() {
      return slots().reached;
    },
    keyAccess: env.maxReadOnlyAccess,
    valueAccess: env.maxReadWriteAccess,
    contextAccess: env.maxContextAccess,
    tracepointAccess: env.maxTracepointAccess,
    attached: env.progType.contextKind === 'btf-args' ? env.attachProto : null,
  };
}
