import {
  BPF_GRAPH_NODE,
  BPF_KPTR,
  FIELD_BITS,
  type Field,
  type FieldRecord,
  type KptrTarget,
  recordFind,
  recordHas,
} from '../../btf/special.ts';
import { isStruct } from '../../btf/types.ts';
import { structIdsMatch } from '../../btf/walk.ts';
import { Bug } from '../../contracts/errors.ts';
import { BPF_LDX, BPF_MEM, BPF_ST, BPF_STX, classOf, modeOf } from '../../isa/constants.ts';
import type { CallMeta } from '../call/meta.ts';
import type { Env } from '../env.ts';
import { regTypeText } from '../log/state_lines.ts';
import { putBtfPointer } from '../memory/btf_object.ts';
import { checkPtrOffReg } from '../memory/region.ts';
import { isConst } from '../scalar/scalar.ts';
import { isNullReg, setRegTo } from '../state/access.ts';
import { btfOf, mapOf, pointerReg, type Reg } from '../state/reg.ts';
import {
  baseOf,
  flagsOf,
  MEM_ALLOC,
  MEM_PERCPU,
  MEM_RCU,
  NON_OWN_REF,
  PTR_MAYBE_NULL,
  PTR_TO_BTF_ID,
  PTR_TO_MEM,
  PTR_TRUSTED,
  PTR_UNTRUSTED,
} from '../state/reg_types.ts';
import { mapName, regRecord, structRecord } from './map_fields.ts';
import { isInRcuSection } from './rcu.ts';
import { isAllocatedObject } from './references.ts';

/** Pointers to kernel objects, and to objects of programs, in map values. Source: check_map_kptr_access, kernel/bpf/verifier.c. */

const targetOf = (field: Field): KptrTarget => {
  if (!field.kptr) throw new Bug(`${field.type} without a target`);
  return field.kptr;
};

const targetName = ({ btf, typeId }: KptrTarget): string => btf.type(typeId).name;

/** Flags that a register may have that is stored into the field. */
function permittedFlags(env: Env, field: Field, reg: Reg): number {
  if (btfOf(reg) === env.profile.btf) {
    const trusted = PTR_MAYBE_NULL | PTR_TRUSTED | MEM_RCU;
    return field.type === 'BPF_KPTR_UNREF' ? trusted | PTR_UNTRUSTED : trusted;
  }
  return PTR_MAYBE_NULL | MEM_ALLOC | (field.type === 'BPF_KPTR_PERCPU' ? MEM_PERCPU : 0);
}

function refuseType(env: Env, field: Field, reg: Reg, regno: number, name: string): never {
  const target = targetName(targetOf(field));
  const other = field.type === 'BPF_KPTR_UNREF' ? ` or ${regTypeText(PTR_TO_BTF_ID | PTR_UNTRUSTED)}${target}` : '';
  return env.reject(
    'EACCES',
    `invalid kptr access, R${regno} type=${regTypeText(reg.type)}${name} expected=${regTypeText(PTR_TO_BTF_ID)}${target}${other}`,
  );
}

/**
 * Refuses a register that must not be stored into the field (map_kptr_match_type). A referenced field takes its very type, an
 * unreferenced one also a struct that begins with it.
 */
export function mapKptrMatchType(env: Env, field: Field, reg: Reg, regno: number): void {
  if (baseOf(reg.type) !== PTR_TO_BTF_ID || (flagsOf(reg.type) & ~permittedFlags(env, field, reg)) !== 0)
    refuseType(env, field, reg, regno, '');
  checkPtrOffReg(env, reg, regno, true);
  const { btf, typeId } = targetOf(field);
  const strict = field.type !== 'BPF_KPTR_UNREF';
  const { match, message } = structIdsMatch(btfOf(reg), reg.aux, reg.off, btf, typeId, strict);
  if (message !== undefined) env.verbose(`${message}\n`);
  if (!match) refuseType(env, field, reg, regno, btfOf(reg).type(reg.aux).name);
}

/** RCU keeps the object alive once the field lets go of it (rcu_safe_kptr). */
function isRcuSafe(env: Env, field: Field): boolean {
  if (field.type === 'BPF_KPTR_PERCPU') return true;
  const target = targetOf(field);
  return (
    field.type === 'BPF_KPTR_REF' &&
    (target.btf !== env.profile.btf || env.profile.facts.rcuProtectedTypes.has(targetName(target)))
  );
}

/** The special fields of what the field points to (kptr_pointee_btf_record). */
const pointeeRecord = (env: Env, { btf, typeId }: KptrTarget): FieldRecord | null => structRecord(env, btf, typeId);

/** Flags of a pointer that is loaded from the field (btf_ld_kptr_type). */
function loadedFlags(env: Env, field: Field): number {
  if (!isRcuSafe(env, field) || !isInRcuSection(env)) return PTR_MAYBE_NULL | PTR_UNTRUSTED;
  const target = targetOf(field);
  let flags = PTR_MAYBE_NULL | MEM_RCU;
  if (field.type === 'BPF_KPTR_PERCPU') flags |= MEM_PERCPU;
  else if (target.btf !== env.profile.btf) flags |= MEM_ALLOC;
  return recordHas(pointeeRecord(env, target), BPF_GRAPH_NODE) ? flags | NON_OWN_REF : flags;
}

/** A pointer to user memory that the kernel has pinned: memory of the struct's size (mark_uptr_ld_reg). */
function putUserPointer(env: Env, regno: number, { btf, typeId }: KptrTarget): void {
  const type = btf.type(typeId);
  const reg = pointerReg(PTR_TO_MEM | PTR_MAYBE_NULL, null, isStruct(type) ? type.size : 0);
  reg.id = env.newId();
  setRegTo(env, env.cur.writableTop(), regno, reg);
}

/**
 * An instruction loads from, or stores to, a pointer field of a map value, all 8 bytes of it. Only unreferenced fields may be
 * stored to: of the others somebody must own the reference.
 */
export function checkKptrAccess(env: Env, _regno: number, valueRegno: number, insnIdx: number, field: Field): void {
  const insn = env.insn(insnIdx);
  const insnClass = classOf(insn.code);
  if (modeOf(insn.code) !== BPF_MEM) env.reject('EACCES', 'kptr in map can only be accessed using BPF_MEM instruction mode');
  if (insnClass !== BPF_LDX && (field.type === 'BPF_KPTR_REF' || field.type === 'BPF_KPTR_PERCPU'))
    env.reject('EACCES', 'store to referenced kptr disallowed');
  if (insnClass !== BPF_LDX && field.type === 'BPF_UPTR') env.reject('EACCES', 'store to uptr disallowed');
  switch (insnClass) {
    case BPF_LDX: {
      const target = targetOf(field);
      if (field.type === 'BPF_UPTR') putUserPointer(env, valueRegno, target);
      else putBtfPointer(env, valueRegno, target.btf, target.typeId, loadedFlags(env, field));
      return;
    }
    case BPF_STX: {
      const value = env.cur.top.regs[valueRegno] as Reg;
      if (!isNullReg(value)) mapKptrMatchType(env, field, value, valueRegno);
      return;
    }
    case BPF_ST:
      if (insn.imm !== 0) env.reject('EACCES', `BPF_ST imm must be 0 when storing to kptr at off=${field.offset}`);
      return;
    default:
      env.reject('EACCES', 'kptr in map can only be accessed using BPF_LDX/BPF_STX/BPF_ST');
  }
}

const REFERENCED = FIELD_BITS.BPF_KPTR_REF | FIELD_BITS.BPF_KPTR_PERCPU;

/** Register `regno` points to the referenced field whose content is to be exchanged; `meta` learns which (process_kptr_func). */
export function processKptrXchg(env: Env, regno: number, meta: CallMeta): void {
  const reg = env.cur.top.regs[regno] as Reg;
  if (!isAllocatedObject(reg.type)) {
    const map = mapOf(reg);
    if (!map.def.btf) env.reject('EINVAL', `map '${mapName(map)}' has to have BTF in order to use bpf_kptr_xchg`);
    meta.map = map;
  }
  if (!isConst(reg.scalar)) env.reject('EINVAL', `R${regno} doesn't have constant offset. kptr has to be at the constant offset`);
  const record = regRecord(env, reg);
  if (!recordHas(record, BPF_KPTR)) env.reject('EINVAL', `R${regno} has no valid kptr`);
  const off = (reg.off + reg.scalar.valueLo) | 0;
  const field = recordFind(record, off >>> 0, BPF_KPTR);
  if (!field) env.reject('EACCES', `off=${off} doesn't point to kptr`);
  if ((FIELD_BITS[field.type] & REFERENCED) === 0) env.reject('EACCES', `off=${off} kptr isn't referenced kptr`);
  meta.kptrField = field;
}
