import { describeRules, type Rule } from '../rules.ts';
import { allocate, lookup, OUT, rawTracepoint, syscall, tc, tracepoint } from './prelude.ts';

const value = lookup('kptrs', 'r6');
const task = 'call bpf_get_current_task_btf';
const acquired = `${task}; r1 = r0; call bpf_task_acquire; if r0 == 0 goto out; r7 = r0`;
const exchange = (off: number, what: string): string => `r1 = r6; r1 += ${off}; r2 = ${what}; call bpf_kptr_xchg`;
const releaseTask = 'if r0 == 0 goto out; r1 = r0; call bpf_task_release';
const percpu = 'r1 = @plain; r2 = 0; call bpf_percpu_obj_new_impl; if r0 == 0 goto out; r7 = r0';

const RULES: readonly Rule[] = [
  [
    'a kernel object is read where RCU protects it',
    rawTracepoint(`${value}; r1 = *(u64 *)(r6 + 0); if r1 == 0 goto out; r1 = *(u32 *)(r1 + 0); ${OUT}`),
    'accept',
  ],
  [
    "an object of the program's is read where RCU protects it",
    rawTracepoint(`${value}; r1 = *(u64 *)(r6 + 8); if r1 == 0 goto out; r1 = *(u64 *)(r1 + 0); ${OUT}`),
    'accept',
  ],
  [
    'a loaded pointer may be NULL',
    tracepoint(`${value}; r1 = *(u64 *)(r6 + 0); call bpf_task_acquire; ${OUT}`),
    'Possibly NULL pointer passed to trusted arg0',
  ],
  [
    'a loaded pointer is untrusted where the program may sleep',
    syscall(`${value}; r1 = *(u64 *)(r6 + 0); if r1 == 0 goto out; call bpf_task_acquire; ${OUT}`),
    'R1 must be a rcu pointer',
  ],
  [
    'nothing is stored to a referenced field',
    rawTracepoint(`${value}; r1 = 0; *(u64 *)(r6 + 0) = r1; ${OUT}`),
    'store to referenced kptr disallowed',
  ],
  ['a pointer is stored to an unreferenced field', rawTracepoint(`${value}; ${task}; *(u64 *)(r6 + 16) = r0; ${OUT}`), 'accept'],
  [
    'a number is not stored to a field',
    rawTracepoint(`${value}; r1 = 5; *(u64 *)(r6 + 16) = r1; ${OUT}`),
    'invalid kptr access, R1 type=scalar expected=ptr_task_struct or untrusted_ptr_task_struct',
  ],
  ['zero is stored to an unreferenced field', rawTracepoint(`${value}; *(u64 *)(r6 + 16) = 0; ${OUT}`), 'accept'],
  [
    'an immediate is not stored to a field',
    rawTracepoint(`${value}; *(u64 *)(r6 + 16) = 1; ${OUT}`),
    'BPF_ST imm must be 0 when storing to kptr at off=16',
  ],
  ['a field is loaded whole', rawTracepoint(`${value}; r1 = *(u32 *)(r6 + 0); ${OUT}`), 'kptr access size must be BPF_DW'],
  [
    'a field is loaded from its start',
    rawTracepoint(`${value}; r1 = *(u64 *)(r6 + 4); ${OUT}`),
    'kptr access misaligned expected=0 off=4',
  ],
  [
    'a field is loaded at a known offset',
    rawTracepoint(`${value}; call bpf_get_prandom_u32; r0 &= 8; r6 += r0; r1 = *(u64 *)(r6 + 0); ${OUT}`),
    'kptr access cannot have variable offset',
  ],
  [
    'a field is not changed atomically',
    rawTracepoint(`${value}; r1 = 1; lock *(u64 *)(r6 + 16) += r1; ${OUT}`),
    'kptr in map can only be accessed using BPF_MEM instruction mode',
  ],
  ['an owned object is exchanged', tracepoint(`${value}; ${acquired}; ${exchange(0, 'r7')}; ${releaseTask}; ${OUT}`), 'accept'],
  [
    'an object that is not owned is not exchanged',
    rawTracepoint(`${value}; ${task}; ${exchange(0, 'r0')}; ${OUT}`),
    'R2 must be referenced when passed to release function',
  ],
  [
    'what comes out of a field is owned',
    tracepoint(`${value}; ${exchange(0, '0')}; ${OUT}`),
    'BPF_EXIT instruction in main prog would lead to reference leak',
  ],
  [
    'a field holds one struct',
    tc(`${value}; ${allocate('item', 'r7')}; ${exchange(8, 'r7')}; ${OUT}`),
    'invalid kptr access, R2 type=ptr_item expected=ptr_plain',
  ],
  [
    "an object of the program's is exchanged",
    tc(
      `${value}; ${allocate('plain', 'r7')}; ${exchange(8, 'r7')}; if r0 == 0 goto out; r1 = r0; r2 = 0; call bpf_obj_drop_impl; ${OUT}`,
    ),
    'accept',
  ],
  [
    'an object on every CPU is exchanged',
    tc(`${value}; ${percpu}; ${exchange(24, 'r7')}; if r0 == 0 goto out; r1 = r0; r2 = 0; call bpf_percpu_obj_drop_impl; ${OUT}`),
    'accept',
  ],
  [
    'an unreferenced field is not exchanged',
    rawTracepoint(`${value}; ${exchange(16, '0')}; ${OUT}`),
    "off=16 kptr isn't referenced kptr",
  ],
  [
    'a value without fields is not exchanged',
    tc(`${lookup('queues', 'r6')}; ${exchange(0, '0')}; ${OUT}`),
    'R1 has no valid kptr',
  ],
  [
    'a map with fields has BTF',
    rawTracepoint(`${lookup('bytes', 'r6')}; ${exchange(0, '0')}; ${OUT}`),
    "map 'bytes' has to have BTF in order to use bpf_kptr_xchg",
  ],
  ['the pointer is exactly at the field', rawTracepoint(`${value}; ${exchange(4, '0')}; ${OUT}`), "off=4 doesn't point to kptr"],
  [
    'the pointer to a field has a known offset',
    rawTracepoint(`${value}; call bpf_get_prandom_u32; r0 &= 8; r1 = r6; r1 += r0; r2 = 0; call bpf_kptr_xchg; ${OUT}`),
    "R1 doesn't have constant offset. kptr has to be at the constant offset",
  ],
];

describeRules('pointers in map values', RULES);
