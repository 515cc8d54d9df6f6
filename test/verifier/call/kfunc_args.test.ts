import { allocate, drop, lookup, OUT, stack, tc, tracepoint, xdp } from '../objects/prelude.ts';
import { describeRules, type Rule } from '../rules.ts';

const task = 'call bpf_get_current_task_btf';
const acquire = `${task}; r1 = r0; call bpf_task_acquire; if r0 == 0 goto out; r6 = r0`;
const release = 'r1 = r6; call bpf_task_release';
const END = 'r0 = 0; exit';
const FORMAT = 'r1 = 1; r2 = text[0] ll';
const print = 'r5 = 0; call bpf_stream_vprintk_impl';

const RULES: readonly Rule[] = [
  [
    'a kfunc of other program types',
    tc(`call bpf_xdp_pull_data; ${END}`),
    'calling kernel function bpf_xdp_pull_data is not allowed',
  ],
  [
    'kfuncs are for GPL programs',
    `.license "Proprietary"\n${tc(`call bpf_rcu_read_lock; ${END}`)}`,
    'cannot call kernel function from non-GPL compatible program',
  ],
  ['a path that must not be reached', tc('call __bpf_trap; exit'), 'unexpected __bpf_trap() due to uninitialized variable?'],
  ['what is acquired is released', tracepoint(`${acquire}; ${release}; ${OUT}`), 'accept'],
  [
    'what is acquired is not forgotten',
    tracepoint(`${acquire}; r0 = 0; exit; ${OUT}`),
    'BPF_EXIT instruction in main prog would lead to reference leak',
  ],
  [
    'only what was acquired is released',
    tracepoint(`${task}; r1 = r0; call bpf_task_release; ${END}`),
    'release kernel function bpf_task_release expects refcounted PTR_TO_BTF_ID',
  ],
  [
    'nothing is released twice',
    tracepoint(`${acquire}; ${release}; ${release}; ${OUT}`),
    'arg#0 pointer type STRUCT task_struct must point to scalar, or struct with scalar',
  ],
  ['NULL is not released', tracepoint(`r1 = 0; call bpf_task_release; ${END}`), 'Possibly NULL pointer passed to trusted arg0'],
  [
    'the context is no task',
    tracepoint(`call bpf_task_release; ${END}`),
    'arg#0 pointer type STRUCT task_struct must point to scalar, or struct with scalar',
  ],
  [
    'an object is released as what it is',
    tracepoint(`r1 = 1; call bpf_cgroup_from_id; if r0 == 0 goto out; r1 = r0; call bpf_task_release; ${OUT}`),
    'kernel function bpf_task_release args#0 expected pointer to STRUCT task_struct but R1 has a pointer to STRUCT cgroup',
  ],
  [
    'an object is released by its start',
    tracepoint(`${acquire}; r1 = r6; r1 += 8; call bpf_task_release; ${OUT}`),
    'R1 must have zero offset when passed to release func or trusted arg to kfunc',
  ],
  [
    'a reference survives on the stack',
    tracepoint(`${acquire}; *(u64 *)(r10 - 8) = r6; r6 = 0; r1 = *(u64 *)(r10 - 8); call bpf_task_release; ${OUT}`),
    'accept',
  ],
  [
    'a reference is lost with its last copy',
    tracepoint(`${acquire}; *(u64 *)(r10 - 8) = r6; *(u64 *)(r10 - 8) = 0; r6 = 0; ${OUT}`),
    'BPF_EXIT instruction in main prog would lead to reference leak',
  ],
  [
    'a pointer out of an object is not trusted',
    tracepoint(`${task}; r1 = *(u64 *)(r0 + 2400); call bpf_task_acquire; ${OUT}`),
    'R1 must be a rcu pointer',
  ],
  [
    'stack is no kernel object',
    tracepoint(`${stack(1, 8)}; *(u64 *)(r10 - 8) = 0; call bpf_task_acquire; ${OUT}`),
    'arg#0 pointer type STRUCT task_struct must point to scalar, or struct with scalar',
  ],
  ['a pointer is no number', tracepoint(`call bpf_task_from_pid; ${END}`), 'R1 is not a scalar'],
  [
    'a result may be NULL',
    tracepoint(`call bpf_cpumask_create; r1 = r0; call bpf_cpumask_first; ${END}`),
    'Possibly NULL pointer passed to trusted arg0',
  ],
  [
    'a struct that begins with another is passed for it',
    tracepoint(
      `call bpf_cpumask_create; if r0 == 0 goto out; r6 = r0; r1 = 1; r2 = r6; call bpf_cpumask_set_cpu; r1 = r6; call bpf_cpumask_first; r1 = r6; call bpf_cpumask_release; ${OUT}`,
    ),
    'accept',
  ],
  [
    'another struct is not passed for it',
    tracepoint(`${task}; r1 = r0; call bpf_cpumask_first; ${END}`),
    'kernel function bpf_cpumask_first args#0 expected pointer to STRUCT cpumask but R1 has a pointer to STRUCT task_struct',
  ],
  [
    'an alias is not passed for the struct',
    xdp(
      `*(u64 *)(r10 - 16) = 0; *(u64 *)(r10 - 8) = 0; *(u64 *)(r10 - 32) = 0; *(u64 *)(r10 - 24) = 0; ${stack(2, 16)}; r3 = 12; ${stack(4, 32)}; r5 = 12; call bpf_xdp_ct_alloc; if r0 == 0 goto out; r1 = r0; call bpf_ct_release; ${OUT}`,
    ),
    'kernel function bpf_ct_release args#0 expected pointer to STRUCT nf_conn but R1 has a pointer to STRUCT nf_conn___init',
  ],
  [
    'a context is passed whole',
    xdp(`r1 += 8; r2 = 14; call bpf_xdp_pull_data; ${END}`),
    'dereference of modified ctx ptr R1 off=8 disallowed',
  ],
  [
    'a number is no context',
    xdp(`r1 = 0; r2 = 14; call bpf_xdp_pull_data; ${END}`),
    'arg#0 expected pointer to ctx, but got scalar',
  ],
  ['a map register is a struct of maps', tc(`r1 = bytes ll; call bpf_map_sum_elem_count; ${END}`), 'accept'],
  [
    'the context is no map',
    tc(`call bpf_map_sum_elem_count; ${END}`),
    'arg#0 pointer type STRUCT bpf_map must point to scalar, or struct with scalar',
  ],
  ['memory and its size', tracepoint(`${FORMAT}; ${stack(3, 8)}; *(u64 *)(r10 - 8) = 0; r4 = 8; ${print}; ${END}`), 'accept'],
  [
    'a size beyond the memory',
    tracepoint(`${FORMAT}; ${stack(3, 8)}; r4 = 16; ${print}; ${END}`),
    'arg#2 arg#3 memory, len pair leads to invalid memory access',
  ],
  [
    'a pointer is no size',
    tracepoint(`${FORMAT}; ${stack(3, 8)}; r4 = r10; ${print}; ${END}`),
    'arg#2 pointer type UNKNOWN  must point to scalar, or struct with scalar',
  ],
  [
    'NULL is no memory for who takes trusted arguments',
    tracepoint(`${FORMAT}; r3 = 0; r4 = 0; ${print}; ${END}`),
    'Possibly NULL pointer passed to trusted arg2',
  ],
  [
    'a constant string stands in a frozen map',
    tracepoint(`r1 = 1; ${stack(2, 8)}; *(u64 *)(r10 - 8) = 0; r3 = r2; r4 = 8; ${print}; ${END}`),
    "arg#1 doesn't point to a const string",
  ],
  ['text of the program is any memory', tc(`r1 = text[0] ll; r2 = text[0] ll; call bpf_strcmp; ${END}`), 'accept'],
  ['a constant is known', tc(`r1 = *(u32 *)(r1 + 0); r2 = 0; call bpf_obj_new_impl; ${END}`), 'R1 must be a known constant'],
  [
    'each kind of object is freed by its own kfunc',
    tc(`${allocate('plain', 'r6')}; r1 = r6; r2 = 0; call bpf_percpu_obj_drop_impl; ${OUT}`),
    'arg#0 expected for bpf_obj_drop_impl()',
  ],
  [
    'and the other way round',
    tc(`r1 = @plain; r2 = 0; call bpf_percpu_obj_new_impl; if r0 == 0 goto out; ${drop('r0')}; ${OUT}`),
    'arg#0 expected for bpf_percpu_obj_drop_impl()',
  ],
  [
    'an object is freed by its start',
    tc(`${allocate('plain', 'r6')}; r1 = r6; r1 += 8; r2 = 0; call bpf_obj_drop_impl; ${OUT}`),
    'R1 must have zero offset when passed to release func or trusted arg to kfunc',
  ],
  [
    'an object is not freed twice',
    tc(`${allocate('plain', 'r6')}; ${drop('r6')}; ${drop('r6')}; ${OUT}`),
    'R1 must be referenced or trusted',
  ],
  ['a map value is not freed', tc(`${lookup('bytes', 'r6')}; ${drop('r6')}; ${OUT}`), 'R1 must be referenced or trusted'],
  [
    'an object with a count is shared',
    tc(
      `${allocate('node', 'r6')}; r1 = r6; r2 = 0; call bpf_refcount_acquire_impl; r7 = r0; ${drop('r7')}; ${drop('r6')}; ${OUT}`,
    ),
    'accept',
  ],
  [
    'an object without count is not shared',
    tc(`${allocate('item', 'r6')}; r1 = r6; r2 = 0; call bpf_refcount_acquire_impl; ${OUT}`),
    "arg#0 doesn't point to a type with bpf_refcount field",
  ],
  [
    'a number is not shared',
    tc(`r1 = 5; r2 = 0; call bpf_refcount_acquire_impl; ${END}`),
    'arg#0 is neither owning or non-owning ref',
  ],
];

describeRules('arguments of kfuncs', RULES);
