import type { HostMemory } from '../contracts/host_memory.ts';

/**
 * Lists that programs keep, in guest memory. Source: struct list_head, include/linux/types.h; struct bpf_list_node_kern,
 * include/linux/bpf.h.
 *
 *     head   0 next    8 previous
 *     node   0 next    8 previous    16 the head of its list, NULL outside of one
 */
const NEXT = 0;
const PREVIOUS = 8;
const OWNER = 16;

export const LIST_HEAD_BYTES = 16;
export const LIST_NODE_BYTES = 24;

const link = (memory: HostMemory, at: number, to: number): void => memory.store64(at, to, to === 0 ? 0 : memory.high);

function join(memory: HostMemory, before: number, after: number): void {
  link(memory, before + NEXT, after);
  link(memory, after + PREVIOUS, before);
}

/** INIT_LIST_HEAD: an empty list, or a node outside of one, leads to itself. */
export const initList = (memory: HostMemory, at: number): void => join(memory, at, at);

export const listOwner = (memory: HostMemory, node: number): number => memory.loadU32(node + OWNER);

/** First or last node of a list, 0 when it is empty or was never used. */
export function listEnd(memory: HostMemory, head: number, end: 'front' | 'back'): number {
  const first = memory.loadU32(head + NEXT);
  if (first === 0 || first === head) return 0;
  return end === 'front' ? first : memory.loadU32(head + PREVIOUS);
}

/** Puts a node that is in no list at an end of one. */
export function listAdd(memory: HostMemory, head: number, node: number, end: 'front' | 'back'): void {
  if (memory.loadU32(head + NEXT) === 0) initList(memory, head);
  const before = end === 'front' ? head : memory.loadU32(head + PREVIOUS);
  const after = memory.loadU32(before + NEXT);
  join(memory, before, node);
  join(memory, node, after);
  link(memory, node + OWNER, head);
}

export function listRemove(memory: HostMemory, node: number): void {
  join(memory, memory.loadU32(node + PREVIOUS), memory.loadU32(node + NEXT));
  initList(memory, node);
  link(memory, node + OWNER, 0);
}

/** Empties a list; the nodes that were in it, in order. */
export function listDrain(memory: HostMemory, head: number): number[] {
  const nodes: number[] = [];
  for (let node = listEnd(memory, head, 'front'); node !== 0 && node !== head; node = memory.loadU32(node + NEXT))
    nodes.push(node);
  initList(memory, head);
  return nodes;
}
