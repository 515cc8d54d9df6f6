import { describeRules, type Rule } from '../rules.ts';
import { allocate, drop, func, lookup, OUT, stack, tc } from './prelude.ts';

const HEAD = 'r1 = r6; r1 += 8';
const ROOT = 'r1 = r6; r1 += 24';
const lock = 'r1 = r6; call bpf_spin_lock';
const unlock = 'r1 = r6; call bpf_spin_unlock';
const graph = lookup('graphs', 'r6');
const item = allocate('item', 'r7');
const node = allocate('node', 'r7');
const push = (front = 'front'): string => `${HEAD}; r2 = r7; r3 = 0; r4 = 0; call bpf_list_push_${front}_impl`;
const add = `${ROOT}; r2 = r7; r2 += 24; r3 = less ll; r4 = 0; r5 = 0; call bpf_rbtree_add_impl`;
const less = (text: string): string => func('static _Bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b)', text);
const dropTreeNode = (reg: string): string => `r1 = ${reg}; r1 += -24; r2 = 0; call bpf_obj_drop_impl`;

const RULES: readonly Rule[] = [
  [
    'what is popped is owned',
    tc(
      `${graph}; ${item}; ${lock}; ${push()}; ${HEAD}; call bpf_list_pop_back; r8 = r0; ${unlock}; if r8 == 0 goto out; ${drop('r8')}; ${OUT}`,
    ),
    'accept',
  ],
  [
    'a list is used under its lock',
    tc(`${graph}; ${HEAD}; call bpf_list_pop_front; ${OUT}`),
    'bpf_spin_lock at off=0 must be held for bpf_list_head',
  ],
  [
    'the first item is looked at under the lock',
    tc(
      `${graph}; ${lock}; ${HEAD}; call bpf_list_front; if r0 == 0 goto leave; r1 = *(u32 *)(r0 + 24); leave: ${unlock}; ${OUT}`,
    ),
    'accept',
  ],
  [
    'what was looked at is gone behind the lock',
    tc(`${graph}; ${lock}; ${HEAD}; call bpf_list_back; r7 = r0; ${unlock}; if r7 == 0 goto out; r1 = *(u32 *)(r7 + 24); ${OUT}`),
    "R7 invalid mem access 'scalar'",
  ],
  [
    'what was popped is given back',
    tc(`${graph}; ${lock}; ${HEAD}; call bpf_list_pop_front; ${unlock}; ${OUT}`),
    'BPF_EXIT instruction in main prog would lead to reference leak',
  ],
  [
    'the pointer is exactly at the list head',
    tc(`${graph}; ${lock}; r1 = r6; r1 += 16; call bpf_list_pop_front; ${OUT}`),
    'bpf_list_head not found at offset=16',
  ],
  [
    'a list holds items of one struct',
    tc(`${graph}; ${allocate('other', 'r7')}; ${lock}; ${push()}; ${OUT}`),
    'operation on bpf_list_head expects arg#1 bpf_list_node at offset=0 in struct item, but arg is at offset=0 in struct other',
  ],
  [
    'the pointer is exactly at the node',
    tc(`${graph}; ${item}; ${lock}; ${HEAD}; r2 = r7; r2 += 8; r3 = 0; r4 = 0; call bpf_list_push_front_impl; ${OUT}`),
    'bpf_list_node not found at offset=8',
  ],
  [
    'what was added is not owned any more',
    tc(`${graph}; ${item}; ${lock}; ${push()}; ${push()}; ${OUT}`),
    'arg#1 expected pointer to allocated object',
  ],
  [
    'a number is no item',
    tc(`${graph}; ${lock}; ${HEAD}; r2 = 0; r3 = 0; r4 = 0; call bpf_list_push_front_impl; ${OUT}`),
    'arg#1 expected pointer to allocated object',
  ],
  [
    'what was added may be written under the lock only',
    tc(`${graph}; ${item}; ${lock}; ${push('back')}; *(u32 *)(r7 + 24) = 1; ${unlock}; *(u32 *)(r7 + 24) = 1; ${OUT}`),
    "R7 invalid mem access 'scalar'",
  ],
  [
    'a list head does not stand on the stack',
    tc(`${stack(1, 16)}; call bpf_list_pop_front; r0 = 0; exit`),
    'arg#0 expected pointer to map value or allocated object',
  ],
  [
    'a resilient lock protects as well',
    tc(
      `${lookup('res_lists', 'r6')}; r1 = r6; call bpf_res_spin_lock; if r0 != 0 goto out; ${HEAD}; call bpf_list_pop_front; r7 = r0; r1 = r6; call bpf_res_spin_unlock; if r7 == 0 goto out; ${drop('r7')}; ${OUT}`,
    ),
    'accept',
  ],
  [
    'a list without a plain lock has none at a known place',
    tc(`${lookup('res_lists', 'r6')}; ${HEAD}; call bpf_list_pop_front; ${OUT}`),
    'bpf_spin_lock at off=-22 must be held for bpf_list_head',
  ],
  [
    'the lock is that of the same value',
    tc(`${lookup('locks', 'r7')}; ${graph}; r1 = r7; r1 += 4; call bpf_spin_lock; ${HEAD}; call bpf_list_pop_front; ${OUT}`),
    'bpf_spin_lock at off=0 must be held for bpf_list_head',
  ],
  [
    'tree nodes are walked under the lock',
    tc(
      `${graph}; ${lock}; ${ROOT}; call bpf_rbtree_root; if r0 == 0 goto leave; r7 = r0; ${ROOT}; r2 = r7; call bpf_rbtree_left; ${ROOT}; r2 = r7; call bpf_rbtree_right; leave: ${unlock}; ${OUT}`,
    ),
    'accept',
  ],
  [
    'a node is read up to its end',
    tc(
      `${graph}; ${lock}; ${ROOT}; call bpf_rbtree_first; if r0 == 0 goto leave; r1 = *(u32 *)(r0 + 40); leave: ${unlock}; ${OUT}`,
    ),
    'access beyond struct node at off 64 size 4',
  ],
  [
    'what is removed is owned',
    tc(
      `${graph}; ${lock}; ${ROOT}; call bpf_rbtree_first; if r0 == 0 goto leave; ${ROOT}; r2 = r0; call bpf_rbtree_remove; r7 = r0; ${unlock}; if r7 == 0 goto out; ${dropTreeNode('r7')}; goto out; leave: ${unlock}; ${OUT}`,
    ),
    'accept',
  ],
  [
    'an owned node may be removed',
    tc(
      `${graph}; ${node}; ${lock}; ${ROOT}; r2 = r7; r2 += 24; call bpf_rbtree_remove; r8 = r0; ${unlock}; ${drop('r7')}; if r8 == 0 goto out; ${dropTreeNode('r8')}; ${OUT}`,
    ),
    'accept',
  ],
  [
    'a number is no tree node',
    tc(`${graph}; ${lock}; ${ROOT}; r2 = 0; call bpf_rbtree_remove; ${OUT}`),
    'bpf_rbtree_remove can only take non-owning or refcounted bpf_rb_node pointer',
  ],
  [
    'nodes are added in the order of a function',
    tc(
      `${graph}; ${node}; ${lock}; ${add}; ${unlock}; ${OUT}`,
      less('r1 = *(u32 *)(r1 + 36); r2 = *(u32 *)(r2 + 36); r0 = 0; if r1 > r2 goto +1; r0 = 1; exit'),
    ),
    'accept',
  ],
  [
    'the function is called under the lock',
    tc(`${graph}; ${node}; ${lock}; ${add}; ${unlock}; ${OUT}`, less('call bpf_rcu_read_lock; r0 = 1; exit')),
    'function calls are not allowed while holding a lock',
  ],
  [
    'the function answers yes or no',
    tc(`${graph}; ${node}; ${lock}; ${add}; ${unlock}; ${OUT}`, less('r0 = 2; exit')),
    'At callback return the register R0 has smin=2 smax=2 should have been in [0, 1]',
  ],
  [
    'a number is no function',
    tc(`${graph}; ${node}; ${lock}; ${ROOT}; r2 = r7; r2 += 24; r3 = 0; r4 = 0; r5 = 0; call bpf_rbtree_add_impl; ${OUT}`),
    'arg2 expected pointer to func',
  ],
];

describeRules('lists and trees', RULES);
