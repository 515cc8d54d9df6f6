import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { LIST_HEAD_BYTES, LIST_NODE_BYTES, listAdd, listEnd, listOwner, listRemove } from '../../kernel/linked_list.ts';
import { LOCAL_OBJECTS, type LocalObject } from '../../kernel/local_objects.ts';
import { dropObject } from '../../kernel/object_life.ts';
import { RB_NODE_BYTES, RB_ROOT_BYTES, RedBlackTree } from '../../kernel/red_black_tree.ts';

/** Lists and trees in map values and objects. Source: kernel/bpf/helpers.c. */

type End = 'front' | 'back';

/** The program's reference goes to the list or tree; a node that is in one already is refused, and the reference dropped. */
function handOver(call: HostCall, node: number, owner: number): LocalObject | null {
  const objects = call.part(LOCAL_OBJECTS);
  const object = objects.ofNode(node);
  objects.giveUp(object);
  if (owner === 0) return object;
  dropObject(call, object);
  return null;
}

/** head, node, meta__ign, off */
const push =
  (end: End) =>
  (call: HostCall): void => {
    const head = call.writable(0, LIST_HEAD_BYTES);
    const node = call.writable(1, LIST_NODE_BYTES);
    const object = handOver(call, node, listOwner(call.memory, node));
    if (object === null) return call.setReturnNumber(-ERRNO.EINVAL);
    listAdd(call.memory, head, node, end);
    call.setReturn(0, 0);
  };

/** The program gets the list's reference. */
const pop =
  (end: End) =>
  (call: HostCall): void => {
    const objects = call.part(LOCAL_OBJECTS);
    const node = listEnd(call.memory, call.writable(0, LIST_HEAD_BYTES), end);
    if (node !== 0) {
      listRemove(call.memory, node);
      objects.hold(objects.ofNode(node));
    }
    call.setReturnPointer(node);
  };

const peek =
  (end: End) =>
  (call: HostCall): void =>
    call.setReturnPointer(listEnd(call.memory, call.readable(0, LIST_HEAD_BYTES), end));

export const listPushFront = push('front');
export const listPushBack = push('back');
export const listPopFront = pop('front');
export const listPopBack = pop('back');
export const listFront = peek('front');
export const listBack = peek('back');

const treeOf = (call: HostCall): RedBlackTree => new RedBlackTree(call.memory, call.writable(0, RB_ROOT_BYTES));

/** root, node, less, meta__ign, off */
export function rbtreeAdd(call: HostCall): void {
  const tree = treeOf(call);
  const node = call.writable(1, RB_NODE_BYTES);
  const object = handOver(call, node, tree.owner(node));
  if (object === null) return call.setReturnNumber(-ERRNO.EINVAL);
  tree.add(node, (other) => {
    call.setCallbackPointer(0, node);
    call.setCallbackPointer(1, other);
    return (call.invoke(2) | call.callbackHi) !== 0;
  });
  call.setReturn(0, 0);
}

/** root, node: NULL for a node that is not in this tree */
export function rbtreeRemove(call: HostCall): void {
  const objects = call.part(LOCAL_OBJECTS);
  const tree = treeOf(call);
  const node = call.writable(1, RB_NODE_BYTES);
  if (tree.owner(node) !== tree.root) return call.setReturnPointer(0);
  tree.remove(node);
  objects.hold(objects.ofNode(node));
  call.setReturnPointer(node);
}

export const rbtreeFirst = (call: HostCall): void => call.setReturnPointer(treeOf(call).first);
export const rbtreeRoot = (call: HostCall): void => call.setReturnPointer(treeOf(call).top);

const child =
  (side: 'left' | 'right') =>
  (call: HostCall): void => {
    const tree = treeOf(call);
    const node = call.readable(1, RB_NODE_BYTES);
    call.setReturnPointer(tree.owner(node) === tree.root ? tree[side](node) : 0);
  };

export const rbtreeLeft = child('left');
export const rbtreeRight = child('right');
