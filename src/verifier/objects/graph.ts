import { FIELD_BITS, type Field, type FieldType, fieldTypeName, type GraphRoot, recordFind } from '../../btf/special.ts';
import { structIdsMatch } from '../../btf/walk.ts';
import { Bug } from '../../contracts/errors.ts';
import type { Env } from '../env.ts';
import { isConst } from '../scalar/scalar.ts';
import { replaceRegs } from '../state/each.ts';
import { btfOf, mapOf, pointerReg, type Reg } from '../state/reg.ts';
import { MEM_ALLOC, MEM_RCU, NON_OWN_REF, PTR_TO_BTF_ID, PTR_TO_MAP_VALUE } from '../state/reg_types.ts';
import { REF_TYPE_LOCK_MASK } from '../state/state.ts';
import { fieldAt, regRecord } from './map_fields.ts';
import { findReference, isLocked } from './references.ts';

/**
 * Linked lists and red-black trees in map values and allocated objects. Root and nodes are protected by the lock of the
 * allocation that holds the root; a node that was added belongs to the list or tree, and the program keeps a reference that it
 * does not own, as long as it holds the lock. Source: __process_kf_arg_ptr_to_graph_root and around it, kernel/bpf/verifier.c.
 */

type RootType = Extract<FieldType, 'BPF_LIST_HEAD' | 'BPF_RB_ROOT'>;

const NODE_TYPE = { BPF_LIST_HEAD: 'BPF_LIST_NODE', BPF_RB_ROOT: 'BPF_RB_NODE' } as const;

/** What the kernel prints as the offset of a lock that is not there: its initial value, -EINVAL. */
const NO_LOCK_OFFSET = -22;

const offsetOf = (reg: Reg): number => (reg.off + reg.scalar.valueLo) | 0;

const refuseVariable = (env: Env, regno: number, name: string): never =>
  env.reject('EINVAL', `R${regno} doesn't have constant offset. ${name} has to be at the constant offset`);

/** The lock of the allocation that the register points into is held (check_reg_allocation_locked). */
function isAllocationLocked(env: Env, reg: Reg): boolean {
  if (env.cur.activeLocks === 0) return false;
  const ptr = reg.type === PTR_TO_MAP_VALUE ? mapOf(reg) : btfOf(reg);
  if (isLocked(env.cur, REF_TYPE_LOCK_MASK, reg.id, ptr)) return true;
  env.verbose('held lock and object are not in the same allocation\n');
  return false;
}

/** The list head or tree root that register `regno` points to, whose lock is held. */
export function processGraphRoot(env: Env, regno: number, type: RootType): Field {
  const reg = env.cur.top.regs[regno] as Reg;
  const name = fieldTypeName(type);
  if (!isConst(reg.scalar)) refuseVariable(env, regno, name);
  const off = offsetOf(reg);
  const record = regRecord(env, reg);
  const field = recordFind(record, off, FIELD_BITS[type]);
  if (!field) env.reject('EINVAL', `${name} not found at offset=${off >>> 0}`);
  if (!isAllocationLocked(env, reg))
    env.reject('EINVAL', `bpf_spin_lock at off=${record?.spinLockOff ?? NO_LOCK_OFFSET} must be held for ${name}`);
  return field;
}

/** Root of a list or tree: what its nodes are in. */
export const rootOf = (field: Field | null): GraphRoot => {
  if (!field?.graphRoot) throw new Bug('list or tree node without a root');
  return field.graphRoot;
};

/** Register `regno` points to a node of the list or tree that an argument before it named. */
export function processGraphNode(env: Env, regno: number, type: RootType, field: Field | null): void {
  const reg = env.cur.top.regs[regno] as Reg;
  const node = fieldTypeName(NODE_TYPE[type]);
  if (!isConst(reg.scalar)) refuseVariable(env, regno, node);
  const off = offsetOf(reg);
  if (!fieldAt(env, reg, off, FIELD_BITS[NODE_TYPE[type]])) env.reject('EINVAL', `${node} not found at offset=${off >>> 0}`);
  const { btf, valueTypeId, nodeOffset } = rootOf(field);
  const struct = btf.type(valueTypeId).name;
  if (!structIdsMatch(btfOf(reg), reg.aux, 0, btf, valueTypeId, true).match)
    env.reject(
      'EINVAL',
      `operation on ${fieldTypeName(type)} expects arg#1 ${node} at offset=${nodeOffset} in struct ${struct}, ` +
        `but arg is at offset=${off} in struct ${btfOf(reg).type(reg.aux).name}`,
    );
  if (off !== nodeOffset)
    env.reject('EINVAL', `arg#1 offset=${off}, but expected ${node} at offset=${nodeOffset} in struct ${struct}`);
}

/** A pointer to a node of a list or tree (mark_reg_graph_node). */
export function graphNodeReg({ btf, valueTypeId, nodeOffset }: GraphRoot): Reg {
  const reg = pointerReg(PTR_TO_BTF_ID | MEM_ALLOC, btf, valueTypeId);
  reg.off = nodeOffset;
  return reg;
}

/** The same pointer, which the program does not own: it lasts until the lock is dropped (ref_set_non_owning). */
export function nonOwning(env: Env, reg: Reg): Reg {
  if (env.cur.activeLocks === 0) throw new Bug('ref_set_non_owning w/o active lock');
  if ((reg.type & NON_OWN_REF) !== 0) throw new Bug('NON_OWN_REF already set');
  const next = reg.clone();
  next.type |= NON_OWN_REF;
  if (regRecord(env, reg)?.refcountOff !== undefined) next.type |= MEM_RCU;
  return next;
}

/** Copies of an owned pointer stop owning: the list or tree does now (ref_convert_owning_non_owning). */
export function convertToNonOwning(env: Env, refObjId: number): void {
  if (refObjId === 0) throw new Bug('ref_obj_id is zero for owning -> non-owning conversion');
  if (!findReference(env.cur, refObjId)) throw new Bug('ref state missing for ref_obj_id');
  replaceRegs(env.cur, (reg) => {
    if (reg.refObjId !== refObjId) return reg;
    const next = nonOwning(env, reg);
    next.refObjId = 0;
    return next;
  });
}
