import type { Btf } from '../../btf/btf.ts';
import type { StructType } from '../../btf/types.ts';
import { nestedTypeIsTrusted, type PointeeTag, type StructAccess, structAccess } from '../../btf/walk.ts';
import { Unmodelled } from '../../contracts/errors.ts';
import type { Env } from '../env.ts';
import { tnumText } from '../log/scalar_text.ts';
import { regRecord } from '../objects/map_fields.ts';
import { isInRcuSection } from '../objects/rcu.ts';
import { isZero } from '../scalar/scalar.ts';
import { markRegUnknown, setRegTo } from '../state/access.ts';
import { btfOf, mapOf, pointerReg, type Reg } from '../state/reg.ts';
import {
  isMaybeNull,
  MEM_ALLOC,
  MEM_PERCPU,
  MEM_RCU,
  MEM_RDONLY,
  MEM_USER,
  NON_OWN_REF,
  PTR_MAYBE_NULL,
  PTR_TO_BTF_ID,
  PTR_TO_MEM,
  PTR_TRUSTED,
  PTR_UNTRUSTED,
} from '../state/reg_types.ts';
import { isRcuReg, isTrustedReg } from '../state/trust.ts';

/** Loads and stores through pointers to structs. Source: check_ptr_to_btf_access and around it, kernel/bpf/verifier.c. */

const TAG_FLAGS: Readonly<Record<PointeeTag, number>> = { user: MEM_USER, percpu: MEM_PERCPU, rcu: MEM_RCU };

/** Flags that clear_trusted_flags drops. */
const TRUST_FLAGS = PTR_TRUSTED | MEM_ALLOC | NON_OWN_REF | MEM_RCU;

/** Gives register `regno` a pointer to a struct (mark_btf_ld_reg). */
export function putBtfPointer(env: Env, regno: number, btf: Btf, btfId: number, flags: number): void {
  const reg = pointerReg(PTR_TO_BTF_ID | flags, btf, btfId);
  if (isMaybeNull(flags)) reg.id = env.newId();
  setRegTo(env, env.cur.writableTop(), regno, reg);
}

/** Gives register `regno` a pointer to memory of `size` bytes, which a load from it may exceed when it is untrusted. */
export function putMemPointer(env: Env, regno: number, flags: number, size: number): void {
  setRegTo(env, env.cur.writableTop(), regno, pointerReg(PTR_TO_MEM | flags, null, size));
}

const isLocalObject = (reg: Reg): boolean => (reg.type & MEM_ALLOC) !== 0;

/** What a load from a trusted or RCU-protected struct gives: members that share their owner's trust are listed by the kernel. */
function inheritedFlags(env: Env, reg: Reg, fieldName: string, btfId: number, flags: number): number {
  const isListed = (suffix: string): boolean => nestedTypeIsTrusted(btfOf(reg), reg.aux, fieldName, btfId, suffix);
  if (isListed('__safe_trusted')) return flags | PTR_TRUSTED;
  if (isListed('__safe_trusted_or_null')) return flags | PTR_TRUSTED | PTR_MAYBE_NULL;
  // outside an RCU section the member may be freed under the program
  if (!isInRcuSection(env) || isMaybeNull(reg.type)) return PTR_UNTRUSTED;
  if (isListed('__safe_rcu')) return flags | MEM_RCU;
  const isRcuOrNull = isListed('__safe_rcu_or_null');
  if ((flags & MEM_RCU) !== 0 || isRcuOrNull) return (flags | MEM_RCU | PTR_MAYBE_NULL) & (isRcuOrNull ? ~PTR_UNTRUSTED : -1);
  return (flags & (MEM_PERCPU | MEM_USER)) !== 0 ? flags : flags & ~TRUST_FLAGS;
}

function putLoaded(env: Env, reg: Reg, access: StructAccess, valueRegno: number): void {
  const frame = env.cur.writableTop();
  switch (access.kind) {
    case 'error':
      return;
    case 'scalar':
      markRegUnknown(env, frame, valueRegno);
      return;
    case 'untrusted_mem':
      setRegTo(env, frame, valueRegno, pointerReg(PTR_TO_MEM | MEM_RDONLY | PTR_UNTRUSTED));
      return;
    case 'btf_ptr': {
      const tagged = (access.tag ? TAG_FLAGS[access.tag] : 0) | (access.untrusted ? PTR_UNTRUSTED : 0);
      let flags: number;
      if ((reg.type & PTR_UNTRUSTED) !== 0) flags = PTR_UNTRUSTED;
      else if (isTrustedReg(reg) || isRcuReg(reg)) flags = inheritedFlags(env, reg, access.fieldName, access.typeId, tagged);
      else flags = tagged & ~TRUST_FLAGS;
      putBtfPointer(env, valueRegno, btfOf(reg), access.typeId, flags);
    }
  }
}

/** Conditions on the pointer itself, before what it points to matters. */
function checkPointer(env: Env, regno: number, reg: Reg, name: string, off: number): void {
  if (!env.allowPtrLeaks) env.reject('EPERM', `'struct ${name}' access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN`);
  if (!env.isGplCompatible && btfOf(reg) === env.profile.btf)
    env.reject('EINVAL', `Cannot access kernel 'struct ${name}' from non-GPL compatible program`);
  const pointer = `R${regno} is ptr_${name}`;
  if (off < 0) env.reject('EACCES', `${pointer} invalid negative access: off=${off}`);
  if (!isZero(reg.scalar))
    env.reject('EACCES', `${pointer} invalid variable offset: off=${off}, var_off=${tnumText(reg.scalar)}`);
  if ((reg.type & MEM_USER) !== 0) env.reject('EACCES', `${pointer} access user memory: off=${off}`);
  if ((reg.type & MEM_PERCPU) !== 0) env.reject('EACCES', `${pointer} access percpu memory: off=${off}`);
}

/** A load from, or store to, a struct behind a PTR_TO_BTF_ID; `off` includes the fixed offset of the pointer. */
export function checkBtfObjectAccess(
  env: Env,
  regno: number,
  off: number,
  size: number,
  write: boolean,
  valueRegno: number,
): void {
  const reg = env.cur.top.regs[regno] as Reg;
  const btf = btfOf(reg);
  const { name } = btf.type(reg.aux);
  checkPointer(env, regno, reg, name, off);
  const rule = env.progType.structWrites ?? env.structOps?.structWrites;
  if (rule && !isLocalObject(reg) && write) {
    const refusal = env.profile.checkStructWrite(rule, btf.type(reg.aux) as StructType, off, size);
    if (refusal !== null) env.reject('EACCES', refusal);
    return;
  }
  if (write && !isLocalObject(reg)) env.reject('EACCES', 'only read is supported');
  const local = isLocalObject(reg) ? { record: regRecord(env, reg) ?? undefined } : undefined;
  const access = structAccess(btf, reg.aux, off, size, local);
  if (access.kind === 'error') env.reject(access.errno, access.message);
  if (!write && valueRegno >= 0) putLoaded(env, reg, access, valueRegno);
}

/** A load from the kernel's struct of a map (check_ptr_to_map_access). */
export function checkMapObjectAccess(
  env: Env,
  regno: number,
  off: number,
  size: number,
  write: boolean,
  valueRegno: number,
): void {
  const { btf } = env.profile;
  const map = mapOf(env.cur.top.regs[regno] as Reg);
  const { kernelStruct } = map.type;
  if (kernelStruct === null) env.reject('ENOTSUPP', `map_ptr access not supported for map type ${map.def.type}`);
  const type = btf.findByName(kernelStruct, 'STRUCT');
  if (!type) throw new Unmodelled('map_ptr access', `${kernelStruct} is not in the kernel's BTF`);
  if (!env.allowPtrLeaks) env.reject('EPERM', `'struct ${kernelStruct}' access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN`);
  if (off < 0) env.reject('EACCES', `R${regno} is ${kernelStruct} invalid negative access: off=${off}`);
  if (write) env.reject('EACCES', `only read from ${kernelStruct} is supported`);
  const access = structAccess(btf, type.id, off, size);
  if (access.kind === 'error') env.reject(access.errno, access.message);
  if (valueRegno < 0) return;
  if (access.kind === 'btf_ptr') {
    const flags = (access.tag ? TAG_FLAGS[access.tag] : 0) | (access.untrusted ? PTR_UNTRUSTED : 0);
    putBtfPointer(env, valueRegno, btf, access.typeId, flags);
  } else putLoaded(env, pointerReg(PTR_TO_BTF_ID, btf, type.id), access, valueRegno);
}
