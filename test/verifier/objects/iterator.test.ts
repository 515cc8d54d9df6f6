import { describeRules, type Rule } from '../rules.ts';
import { OUT, stack, syscall, tc, tracepoint } from './prelude.ts';

const begin = (depth = 8): string => `${stack(1, depth)}; r2 = 0; r3 = 10; call bpf_iter_num_new`;
const next = (depth = 8): string => `${stack(1, depth)}; call bpf_iter_num_next`;
const end = (depth = 8): string => `${stack(1, depth)}; call bpf_iter_num_destroy`;
const bits = `*(u64 *)(r10 - 24) = 5; ${stack(1, 16)}; ${stack(2, 24)}; r3 = 1; call bpf_iter_bits_new`;
const END = 'r0 = 0; exit';
/** An iterator of its own three kfuncs, looped over; each element is in r0 for `body`. */
const loop = (kind: string, depth: number, args: string, body: string): string =>
  `${args}; ${stack(1, depth)}; call bpf_iter_${kind}_new; again: ${stack(1, depth)}; call bpf_iter_${kind}_next; ` +
  `if r0 == 0 goto done; ${body}; goto again; done: ${stack(1, depth)}; call bpf_iter_${kind}_destroy; ${END}`;

const RULES: readonly Rule[] = [
  [
    'a loop over numbers ends',
    tc(`${begin()}; again: ${next()}; if r0 == 0 goto done; r1 = *(u32 *)(r0 + 0); goto again; done: ${end()}; ${END}`),
    'accept',
  ],
  [
    'a sum over a loop is any number',
    tc(
      `r7 = 0; ${begin()}; again: ${next()}; if r0 == 0 goto done; r1 = *(u32 *)(r0 + 0); r7 += r1; *(u64 *)(r10 - 16) = r7; goto again; done: ${end()}; ${END}`,
    ),
    'accept',
  ],
  [
    'loops nest',
    tc(
      `${begin()}; again: ${next()}; if r0 == 0 goto done; ${begin(16)}; inner: ${next(16)}; if r0 == 0 goto left; goto inner; left: ${end(16)}; goto again; done: ${end()}; ${END}`,
    ),
    'accept',
  ],
  ['an iterator is ended', tc(`${begin()}; ${END}`), 'BPF_EXIT instruction in main prog would lead to reference leak'],
  ['an iterator is not begun twice', tc(`${begin()}; ${begin()}; ${END}`), 'expected uninitialized iter_num as arg #0'],
  ['only an iterator that was begun goes on', tc(`${next()}; ${END}`), 'expected an initialized iter_num as arg #0'],
  ['an iterator is not ended twice', tc(`${begin()}; ${end()}; ${end()}; ${END}`), 'expected an initialized iter_num as arg #0'],
  [
    'an element does not outlive its iterator',
    tc(`${begin()}; ${next()}; r6 = r0; ${end()}; if r6 == 0 goto out; r1 = *(u32 *)(r6 + 0); ${OUT}`),
    "R6 invalid mem access 'scalar'",
  ],
  [
    'an iterator is one of its kind',
    tc(`${begin()}; ${stack(1, 8)}; call bpf_iter_bits_next; ${END}`),
    'expected an initialized iter_bits as arg #0',
  ],
  [
    'an iterator of two slots',
    tc(
      `${bits}; again: ${stack(1, 16)}; call bpf_iter_bits_next; if r0 == 0 goto done; goto again; done: ${stack(1, 16)}; call bpf_iter_bits_destroy; ${END}`,
    ),
    'accept',
  ],
  [
    'an iterator is passed by its start',
    tc(`${bits}; ${stack(1, 8)}; call bpf_iter_bits_next; ${END}`),
    'expected an initialized iter_bits as arg #0',
  ],
  [
    'an iterator does not survive a store',
    tc(`${begin()}; *(u64 *)(r10 - 8) = 0; ${next()}; ${END}`),
    'expected an initialized iter_num as arg #0',
  ],
  ['an iterator is not read', tc(`${begin()}; r1 = *(u64 *)(r10 - 8); ${END}`), 'invalid read from stack off -8+0 size 8'],
  [
    'an iterator stands on the stack',
    tc(`r2 = 0; r3 = 10; call bpf_iter_num_new; ${END}`),
    'arg#0 expected pointer to an iterator on stack',
  ],
  ['an iterator is aligned', tc(`${begin(7)}; ${END}`), 'expected uninitialized iter_num as arg #0'],
  [
    'an iterator does not stand at the frame pointer',
    tc(`r1 = r10; r2 = 0; r3 = 10; call bpf_iter_num_new; ${END}`),
    'invalid write to stack R1 off=0 size=8',
  ],
  ['bounds are numbers', tc(`r2 = r1; ${stack(1, 8)}; r3 = 10; call bpf_iter_num_new; ${END}`), 'R2 is not a scalar'],
  ['tasks are trusted inside of the loop', tracepoint(loop('task', 24, 'r2 = 0; r3 = 0', 'r6 = *(u32 *)(r0 + 0)')), 'accept'],
  [
    'areas of a task',
    tracepoint(loop('task_vma', 8, 'call bpf_get_current_task_btf; r2 = r0; r3 = 0', 'r6 = *(u64 *)(r0 + 0)')),
    'accept',
  ],
  [
    'a task is not NULL where it must not be',
    tracepoint(`r2 = 0; ${stack(1, 8)}; r3 = 0; call bpf_iter_task_vma_new; ${END}`),
    'Possibly NULL pointer passed to trusted arg1',
  ],
  [
    'a number is no task',
    tracepoint(`r2 = 5; ${stack(1, 24)}; r3 = 0; call bpf_iter_task_new; ${END}`),
    'arg#1 pointer type STRUCT task_struct must point to scalar, or struct with scalar',
  ],
  ['slab caches', syscall(loop('kmem_cache', 8, 'r2 = 0', 'r6 = *(u64 *)(r0 + 0)')), 'accept'],
  ['buffers', syscall(loop('dmabuf', 8, 'r2 = 0', 'r6 = *(u64 *)(r0 + 0)')), 'accept'],
  [
    'tasks of a control group are not for every program',
    tc(`${stack(1, 8)}; r2 = 0; r3 = 0; call bpf_iter_css_task_new; exit`),
    'css_task_iter is only allowed in bpf_lsm, bpf_iter and sleepable progs',
  ],
];

describeRules('iterators', RULES);
