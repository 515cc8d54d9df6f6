import { allocate, drop, func, kprobeSession, lookup, OUT, syscall, tc, tracepoint, xdp } from '../objects/prelude.ts';
import { describeRules, type Rule } from '../rules.ts';

const END = 'r0 = 0; exit';
const cast = (typeId: number, use = ''): string => `r2 = ${typeId}; call bpf_rdonly_cast; ${use}${END}`;

const RULES: readonly Rule[] = [
  ['an object is allocated and freed', tc(`${allocate('plain', 'r6')}; *(u64 *)(r6 + 8) = 1; ${drop('r6')}; ${OUT}`), 'accept'],
  [
    'an object may not be had',
    tc(`r1 = @plain; r2 = 0; call bpf_obj_new_impl; r1 = r0; r2 = 0; call bpf_obj_drop_impl; ${END}`),
    'Possibly NULL pointer passed to trusted arg0',
  ],
  [
    'an object is not forgotten',
    tc(`${allocate('plain', 'r6')}; r0 = 0; exit; ${OUT}`),
    'BPF_EXIT instruction in main prog would lead to reference leak',
  ],
  [
    'an object is not used once it is freed',
    tc(`${allocate('plain', 'r6')}; ${drop('r6')}; r1 = *(u64 *)(r6 + 0); ${OUT}`),
    "R6 invalid mem access 'scalar'",
  ],
  [
    'special fields are not read',
    tc(`${allocate('node', 'r6')}; r1 = *(u64 *)(r6 + 0); ${OUT}`),
    'direct access to bpf_list_node is disallowed',
  ],
  [
    'a type id has 32 bits',
    tc(`r1 = 0x100000001 ll; r2 = 0; call bpf_obj_new_impl; ${END}`),
    'local type ID argument must be in range [0, U32_MAX]',
  ],
  [
    'a type id is one of a struct',
    tc(`r1 = 100000; r2 = 0; call bpf_obj_new_impl; ${END}`),
    'bpf_obj_new/bpf_percpu_obj_new type ID argument must be of a struct',
  ],
  [
    'objects are of types of the program',
    `.section "tc"\n.program test\nr1 = 1; r2 = 0; call bpf_obj_new_impl; ${END}`,
    'bpf_obj_new/bpf_percpu_obj_new requires prog BTF',
  ],
  [
    'an object on every CPU',
    tc(
      `r1 = @plain; r2 = 0; call bpf_percpu_obj_new_impl; if r0 == 0 goto out; r1 = r0; r2 = 0; call bpf_percpu_obj_drop_impl; ${OUT}`,
    ),
    'accept',
  ],
  [
    'an object on every CPU is not read directly',
    tc(`r1 = @plain; r2 = 0; call bpf_percpu_obj_new_impl; if r0 == 0 goto out; r1 = *(u64 *)(r0 + 0); ${OUT}`),
    'R0 is ptr_plain access percpu memory: off=0',
  ],
  [
    'an object on every CPU has no special fields',
    tc(`r1 = @locked; r2 = 0; call bpf_percpu_obj_new_impl; ${END}`),
    'bpf_percpu_obj_new type ID argument must not contain special fields',
  ],
  [
    'an object on every CPU has no pointers',
    tc(`r1 = @pointer; r2 = 0; call bpf_percpu_obj_new_impl; ${END}`),
    'bpf_percpu_obj_new type ID argument must be of a struct of scalars',
  ],
  ["the kernel's context is read", tc(`call bpf_cast_to_kern_ctx; r1 = *(u32 *)(r0 + 112); ${END}`), 'accept'],
  ["the kernel's context of XDP", xdp(`call bpf_cast_to_kern_ctx; r1 = *(u64 *)(r0 + 0); ${END}`), 'accept'],
  [
    "not every program has a kernel's context",
    syscall(`call bpf_cast_to_kern_ctx; ${END}`),
    'kern ctx type id 108 is not a struct',
  ],
  ["a number is no kernel's context", tracepoint(`call bpf_cast_to_kern_ctx; ${END}`), 'kern ctx type id 38 is not a struct'],
  [
    'only the context is cast to that of the kernel',
    tc(`r1 = 0; call bpf_cast_to_kern_ctx; ${END}`),
    'arg#0 expected pointer to ctx, but got scalar',
  ],
  ['bytes anywhere are read', tc(cast(0, 'r1 = *(u64 *)(r0 + 4000); ')), 'accept'],
  ['bytes anywhere are not written', tc(cast(0, '*(u64 *)(r0 + 0) = 0; ')), 'R0 cannot write into rdonly_untrusted_mem'],
  [
    'an address is seen as a struct or as bytes',
    tc(cast(1)),
    'kfunc bpf_rdonly_cast type ID argument must be of a struct or void',
  ],
  [
    'an address is seen as a type of the kernel',
    tc(cast(0x7fffffff)),
    'Unknown type ID 2147483647 passed to kfunc bpf_rdonly_cast',
  ],
  ['a negative type id', tc(cast(-1)), 'Unknown type ID -1 passed to kfunc bpf_rdonly_cast'],
  ['the type of a cast is known', tc(`r2 = *(u32 *)(r1 + 0); call bpf_rdonly_cast; ${END}`), 'R2 must be a known constant'],
  [
    'a slab cache is read, but not trusted',
    tracepoint(`r1 = 5; call bpf_get_kmem_cache; if r0 == 0 goto out; r1 = *(u64 *)(r0 + 0); ${OUT}`),
    'accept',
  ],
  [
    'the cookie of a session is written',
    kprobeSession(`call bpf_session_cookie; r1 = 5; *(u64 *)(r0 + 0) = r1; ${END}`),
    'accept',
  ],
  [
    'the cookie of a session has eight bytes',
    kprobeSession(`call bpf_session_cookie; r1 = *(u64 *)(r0 + 8); ${END}`),
    'R0 min value is outside of the allowed memory range',
  ],
  [
    'packet pointers do not survive a change of the packet',
    xdp(
      `r6 = r1; r7 = *(u32 *)(r1 + 0); r8 = *(u32 *)(r1 + 4); r2 = 14; call bpf_xdp_pull_data; r1 = r7; r1 += 1; if r1 > r8 goto out; r1 = *(u8 *)(r7 + 0); ${OUT}`,
    ),
    "R7 invalid mem access 'scalar'",
  ],
  ['a program ends early', tc('r1 = 5; call bpf_throw; exit'), 'accept'],
  ['a program ends early with a number', tc('call bpf_throw; exit'), 'R1 is not a scalar'],
  [
    'a program does not end early with a reference',
    tc(`${allocate('plain', 'r6')}; r1 = 0; call bpf_throw; ${OUT}`),
    'bpf_throw would lead to reference leak',
  ],
  [
    'a program does not end early under a lock',
    tc(`${lookup('locks', 'r6')}; r1 = r6; r1 += 4; call bpf_spin_lock; r1 = 0; call bpf_throw; ${OUT}`),
    'function calls are not allowed while holding a lock',
  ],
  [
    'a program ends early in a function',
    tc(`call f; ${END}`, func('static int f(void)', 'r1 = 0; call bpf_throw; exit')),
    'accept',
  ],
];

describeRules('results of kfuncs', RULES);
