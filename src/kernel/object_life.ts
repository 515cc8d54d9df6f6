import type { Field, FieldRecord } from '../btf/special.ts';
import { Fault, never } from '../contracts/errors.ts';
import type { HostCall } from '../contracts/host_call.ts';
import { cancelAsync } from './async_calls.ts';
import { initList, listDrain } from './linked_list.ts';
import { LOCAL_OBJECTS, type LocalObject } from './local_objects.ts';
import { callRcu } from './rcu.ts';
import { clearNode, RedBlackTree } from './red_black_tree.ts';

/** Special fields of a new object. Source: bpf_obj_init_field, include/linux/bpf.h. */
export function initFields(call: HostCall, record: FieldRecord | null, at: number): void {
  const { memory } = call;
  for (const field of record?.fields ?? []) {
    const place = at + field.offset;
    memory.u8.fill(0, place, place + field.size);
    switch (field.type) {
      case 'BPF_REFCOUNT':
        memory.storeI32(place, 1);
        break;
      case 'BPF_LIST_HEAD':
      case 'BPF_LIST_NODE':
        initList(memory, place);
        break;
      case 'BPF_RB_NODE':
        clearNode(memory, place);
        break;
      case 'BPF_RB_ROOT':
      case 'BPF_SPIN_LOCK':
      case 'BPF_RES_SPIN_LOCK':
      case 'BPF_TIMER':
      case 'BPF_WORKQUEUE':
      case 'BPF_TASK_WORK':
      case 'BPF_KPTR_UNREF':
      case 'BPF_KPTR_REF':
      case 'BPF_KPTR_PERCPU':
      case 'BPF_UPTR':
        break;
      default:
        never(field.type, 'initFields');
    }
  }
}

/** Gives back what one special field owns. Source: bpf_obj_free_fields, kernel/bpf/syscall.c. */
export function freeField(call: HostCall, field: Field, at: number): void {
  const { memory } = call;
  switch (field.type) {
    case 'BPF_SPIN_LOCK':
    case 'BPF_RES_SPIN_LOCK':
    case 'BPF_REFCOUNT':
    case 'BPF_LIST_NODE':
    case 'BPF_RB_NODE':
      return;
    case 'BPF_TIMER':
    case 'BPF_WORKQUEUE':
    case 'BPF_TASK_WORK':
      return cancelAsync(call, at);
    case 'BPF_KPTR_UNREF':
    case 'BPF_UPTR':
      return memory.store64(at, 0, 0);
    case 'BPF_KPTR_REF':
    case 'BPF_KPTR_PERCPU': {
      const lo = memory.loadU32(at);
      memory.store64(at, 0, 0);
      if (lo === 0) return;
      const destructor = field.kptr?.destructor;
      if (destructor !== undefined) call.destroy(destructor, lo);
      else dropObject(call, call.part(LOCAL_OBJECTS).need(lo));
      return;
    }
    case 'BPF_LIST_HEAD':
      return dropNodes(call, listDrain(memory, at));
    case 'BPF_RB_ROOT':
      return dropNodes(call, new RedBlackTree(memory, at).drain());
    default:
      never(field.type, 'freeField');
  }
}

function dropNodes(call: HostCall, nodes: readonly number[]): void {
  const objects = call.part(LOCAL_OBJECTS);
  for (const node of nodes) dropObject(call, objects.ofNode(node));
}

/**
 * One reference less; the last one takes the object with it, once readers are done. Source: __bpf_obj_drop_impl,
 * kernel/bpf/helpers.c.
 */
export function dropObject(call: HostCall, object: LocalObject): void {
  if (object.isDead) throw new Fault('use-after-free', `${object.what} is dropped twice`);
  const { memory } = call;
  const countAt = object.record?.refcountOff;
  if (countAt !== undefined) {
    const count = memory.loadU32(object.lo + countAt) - 1;
    memory.storeI32(object.lo + countAt, count);
    if (count !== 0) return;
  }
  object.isDead = true;
  for (const field of object.record?.fields ?? []) freeField(call, field, object.lo + field.offset);
  callRcu(call, () => {
    call.part(LOCAL_OBJECTS).forget(object);
    if (object.isPercpu) call.percpu.free(object.lo);
    else memory.free(object.lo);
  });
}
