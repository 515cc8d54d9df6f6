import type { Env } from '../env.ts';
import { processGraphNode, processGraphRoot } from '../objects/graph.ts';
import { regRecord } from '../objects/map_fields.ts';
import { isAllocatedObject, isNonOwningRef } from '../objects/references.ts';
import { btfOf, type Reg } from '../state/reg.ts';
import { MEM_ALLOC, MEM_PERCPU, PTR_TO_BTF_ID, PTR_TO_MAP_VALUE } from '../state/reg_types.ts';
import { isInRbtreeCallback } from './callback.ts';
import type { KfuncMeta } from './kfunc_meta.ts';
import { hasRole } from './kfunc_shape.ts';

/** Arguments of kfuncs that are objects of programs: allocated ones, lists, trees. Source: check_kfunc_args, kernel/bpf/verifier.c. */

const ALLOCATED = PTR_TO_BTF_ID | MEM_ALLOC;

const regAt = (env: Env, index: number): Reg => env.cur.top.regs[index + 1] as Reg;

function noteObject(reg: Reg, meta: KfuncMeta): void {
  meta.argBtf = btfOf(reg);
  meta.argBtfId = reg.aux;
}

function checkOwned(env: Env, reg: Reg): void {
  if (reg.refObjId === 0) env.reject('EINVAL', 'allocated object must be referenced');
}

/** An object that the call frees: each kind by its own kfunc. */
export function checkAllocatedArg(env: Env, index: number, meta: KfuncMeta): void {
  const reg = regAt(env, index);
  if (reg.type === ALLOCATED) {
    if (!hasRole(meta.shape, 'obj_drop')) env.reject('EINVAL', `arg#${index} expected for bpf_obj_drop_impl()`);
  } else if (reg.type === (ALLOCATED | MEM_PERCPU)) {
    if (!hasRole(meta.shape, 'percpu_obj_drop')) env.reject('EINVAL', `arg#${index} expected for bpf_percpu_obj_drop_impl()`);
  } else env.reject('EINVAL', `arg#${index} expected pointer to allocated object`);
  checkOwned(env, reg);
  noteObject(reg, meta);
}

/** An object with a reference count; one that a list or tree owns may be gone already. */
export function checkRefcountedArg(env: Env, index: number, meta: KfuncMeta): void {
  const reg = regAt(env, index);
  if (!isAllocatedObject(reg.type)) env.reject('EINVAL', `arg#${index} is neither owning or non-owning ref`);
  if (!isNonOwningRef(reg.type)) meta.argIsOwner = true;
  const record = regRecord(env, reg);
  if (!record) env.reject('EFAULT', "verifier bug: Couldn't find btf_record");
  if (record.refcountOff === undefined) env.reject('EINVAL', `arg#${index} doesn't point to a type with bpf_refcount field`);
  noteObject(reg, meta);
}

/** A list head or tree root in a map value or an object that the program owns. */
export function checkRootArg(env: Env, index: number, kind: 'list-head' | 'rb-root', meta: KfuncMeta): void {
  const reg = regAt(env, index);
  if (reg.type !== PTR_TO_MAP_VALUE && reg.type !== ALLOCATED)
    env.reject('EINVAL', `arg#${index} expected pointer to map value or allocated object`);
  if (reg.type === ALLOCATED) checkOwned(env, reg);
  if (kind === 'list-head') meta.listHead = processGraphRoot(env, index + 1, 'BPF_LIST_HEAD');
  else meta.treeRoot = processGraphRoot(env, index + 1, 'BPF_RB_ROOT');
}

/** What is added must be owned by the program. */
function checkAddedNode(env: Env, index: number, reg: Reg): void {
  if (reg.type !== ALLOCATED) env.reject('EINVAL', `arg#${index} expected pointer to allocated object`);
  checkOwned(env, reg);
}

export function checkListNodeArg(env: Env, index: number, meta: KfuncMeta): void {
  const reg = regAt(env, index);
  checkAddedNode(env, index, reg);
  processGraphNode(env, index + 1, 'BPF_LIST_HEAD', meta.listHead);
  noteObject(reg, meta);
}

/** A tree node: one to add, or one that stands in a tree, which a comparison of nodes must leave alone. */
export function checkTreeNodeArg(env: Env, index: number, meta: KfuncMeta): void {
  const reg = regAt(env, index);
  const { name } = meta.shape.desc;
  if (hasRole(meta.shape, 'rbtree_add')) checkAddedNode(env, index, reg);
  else {
    if (!isNonOwningRef(reg.type) && reg.refObjId === 0)
      env.reject('EINVAL', `${name} can only take non-owning or refcounted bpf_rb_node pointer`);
    if (isInRbtreeCallback(env)) env.reject('EINVAL', `${name} not allowed in rbtree cb`);
  }
  processGraphNode(env, index + 1, 'BPF_RB_ROOT', meta.treeRoot);
  noteObject(reg, meta);
}
