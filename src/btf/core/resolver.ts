import type { Insn } from '../../isa/insn.ts';
import type { Btf } from '../btf.ts';
import { BtfError } from '../error.ts';
import { essentialName } from '../names.ts';
import { Budget } from './budget.ts';
import { kindsAreCompatible } from './compat.ts';
import { matchSpec } from './match.ts';
import { type Patched, patchInsn } from './patch.ts';
import { CORE_KIND_WORDS, type CoreRelo, type CoreSpec } from './relo.ts';
import { libbpfKind, parseSpec } from './spec.ts';
import { type CoreResult, calculate } from './value.ts';

/** Types and members looked at for all relocations of an object. */
const MAX_STEPS = 50_000_000;

/**
 * Resolves the CO-RE relocations of one object against one kernel. Candidates for a local type are looked up once and thinned
 * out by each relocation that some of them match, so the order of relocations matters as it does in libbpf.
 */
export class CoreResolver {
  readonly local: Btf;
  readonly target: Btf;
  readonly #budget = new Budget(MAX_STEPS);
  readonly #candidates = new Map<number, number[]>();

  constructor(local: Btf, target: Btf) {
    this.local = local;
    this.target = target;
  }

  /** Target types of the same kind and the same name but for flavors. Source: bpf_core_add_cands, tools/lib/bpf/libbpf.c. */
  #find(localId: number): number[] {
    const local = this.local.type(localId);
    if (local.name === '') throw new BtfError("relocation doesn't support anonymous types", { typeId: localId });
    return this.target
      .findEssential(essentialName(local.name))
      .filter((type) => kindsAreCompatible(type, local))
      .map(({ id }) => id);
  }

  /**
   * What a relocation comes to. Throws `BtfError` in libbpf's words where it is malformed or where candidates disagree.
   * Source: bpf_core_calc_relo_insn, tools/lib/bpf/relo_core.c.
   */
  calculate(relo: CoreRelo): CoreResult {
    const spec = this.#parse(relo);
    if (relo.kind === 'TYPE_ID_LOCAL') {
      const value = BigInt(relo.typeId);
      return { poison: false, origValue: value, newValue: value, validate: false, origSize: 0, newSize: 0, badSize: false };
    }
    const candidates = this.#candidates.get(relo.typeId) ?? this.#find(relo.typeId);
    this.#candidates.set(relo.typeId, candidates);
    const matching: number[] = [];
    let chosen: { spec: CoreSpec; result: CoreResult } | undefined;
    for (const candidate of candidates) {
      const target = matchSpec(spec, this.target, candidate, this.#budget);
      if (target === undefined) continue;
      const result = calculate(spec, target);
      if (chosen === undefined) chosen = { spec: target, result };
      else this.#requireAgreement(chosen, { spec: target, result });
      matching.push(candidate);
    }
    if (matching.length > 0) this.#candidates.set(relo.typeId, matching);
    return chosen?.result ?? calculate(spec, undefined);
  }

  #parse(relo: CoreRelo): CoreSpec {
    try {
      return parseSpec(this.local, relo);
    } catch (error) {
      if (!(error instanceof BtfError)) throw error;
      const type = this.local.typeOrUndefined(relo.typeId);
      const name = type === undefined ? 'void' : `${libbpfKind(type.kind)} ${type.name === '' ? '<anon>' : type.name}`;
      throw new BtfError(`parsing [${relo.typeId}] ${name} + ${relo.access} failed: ${error.message}`, { typeId: relo.typeId });
    }
  }

  #requireAgreement(a: { spec: CoreSpec; result: CoreResult }, b: { spec: CoreSpec; result: CoreResult }): void {
    if (a.spec.bitOffset !== b.spec.bitOffset)
      throw new BtfError(`field offset ambiguity: ${b.spec.bitOffset} != ${a.spec.bitOffset}`);
    if (a.result.poison !== b.result.poison || a.result.newValue !== b.result.newValue) {
      const [one, other] = [b.result, a.result].map((result) => `${result.poison ? 'failure' : 'success'} ${result.newValue}`);
      throw new BtfError(`relocation decision ambiguity: ${one} != ${other}`);
    }
  }

  /**
   * Relocates the instruction at `index` in place and tells why it was poisoned, if it was. Throws `BtfError` where libbpf
   * refuses the object.
   */
  relocate(insns: Insn[], index: number, relo: CoreRelo): string | undefined {
    const insn = insns[index];
    if (insn === undefined) throw new BtfError(`relocation of instruction ${index}, which does not exist`);
    const patched: Patched = patchInsn(insn, insns[index + 1], this.calculate(relo));
    insns.splice(index, patched.insns.length, ...patched.insns);
    return patched.poison === undefined ? undefined : `<${CORE_KIND_WORDS[relo.kind]}> ${patched.poison}`;
  }
}

/** One relocation on its own: the instruction (both slots of an `ld_imm64`) as patched or poisoned. */
export const resolveCoreRelo = (insns: readonly Insn[], relo: CoreRelo, local: Btf, target: Btf): Patched =>
  patchInsn(insns[0]!, insns[1], new CoreResolver(local, target).calculate(relo));
