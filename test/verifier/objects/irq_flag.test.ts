import { describeRules, type Rule } from '../rules.ts';
import { func, stack, syscall, tc } from './prelude.ts';

const save = (depth: number): string => `${stack(1, depth)}; call bpf_local_irq_save`;
const restore = (depth: number): string => `${stack(1, depth)}; call bpf_local_irq_restore`;
const END = 'r0 = 0; exit';

const RULES: readonly Rule[] = [
  ['what is saved is restored', tc(`${save(8)}; ${restore(8)}; ${END}`), 'accept'],
  ['the flag stands on the stack', tc(`call bpf_local_irq_save; ${END}`), "arg#0 doesn't point to an irq flag on stack"],
  ['a flag that holds a state is not saved to', tc(`${save(8)}; ${save(8)}; ${END}`), 'expected uninitialized irq flag as arg#0'],
  ['unused stack holds no flag', tc(`${restore(8)}; ${END}`), 'expected an initialized irq flag as arg#0'],
  ['a number is no flag', tc(`*(u64 *)(r10 - 8) = 0; ${restore(8)}; ${END}`), 'expected an initialized irq flag as arg#0'],
  [
    'a program does not end with interrupts off',
    tc(`${save(8)}; ${END}`),
    'BPF_EXIT instruction in main prog cannot be used inside bpf_local_irq_save-ed region',
  ],
  [
    'the place of a flag is known',
    tc(`r6 = *(u32 *)(r1 + 0); r6 &= 8; ${stack(1, 16)}; r1 += r6; call bpf_local_irq_save; ${END}`),
    'expected uninitialized irq flag as arg#0',
  ],
  ['a flag is aligned', tc(`${save(7)}; ${END}`), 'expected uninitialized irq flag as arg#0'],
  [
    'a flag does not stand at the frame pointer',
    tc(`r1 = r10; call bpf_local_irq_save; ${END}`),
    'invalid write to stack R1 off=0 size=8',
  ],
  [
    'a flag does not stand above the frame',
    tc(`r1 = r10; r1 += 8; call bpf_local_irq_save; ${END}`),
    'expected uninitialized irq flag as arg#0',
  ],
  ['a flag does not stand below the stack', tc(`${save(520)}; ${END}`), 'invalid write to stack R1 off=-520 size=8'],
  ['the frame pointer itself counts as the first slot', tc(`${save(8)}; r1 = r10; call bpf_local_irq_restore; ${END}`), 'accept'],
  ['flags are restored innermost first', tc(`${save(8)}; ${save(16)}; ${restore(16)}; ${restore(8)}; ${END}`), 'accept'],
  [
    'an outer flag is not restored before an inner one',
    tc(`${save(8)}; ${save(16)}; ${restore(8)}; ${END}`),
    'cannot restore irq state out of order, expected id=2 acquired at insn_idx=5',
  ],
  [
    'a flag does not survive a store',
    tc(`${save(8)}; *(u64 *)(r10 - 8) = 0; ${restore(8)}; ${END}`),
    'expected an initialized irq flag as arg#0',
  ],
  [
    'a flag does not survive the store of a byte',
    tc(`${save(8)}; *(u8 *)(r10 - 3) = 0; ${restore(8)}; ${END}`),
    'expected an initialized irq flag as arg#0',
  ],
  [
    'a flag is not read',
    tc(`${save(8)}; r6 = *(u64 *)(r10 - 8); ${restore(8)}; ${END}`),
    'invalid read from stack off -8+0 size 8',
  ],
  [
    'a helper does not sleep with interrupts off',
    syscall(`${save(8)}; ${stack(1, 16)}; r2 = 8; r3 = 0; call bpf_copy_from_user; ${END}`),
    'sleepable helper bpf_copy_from_user#148 in IRQ-disabled region',
  ],
  [
    'a kfunc does not sleep with interrupts off',
    syscall(`${save(8)}; ${stack(1, 16)}; call bpf_iter_kmem_cache_new; ${END}`),
    'kernel func bpf_iter_kmem_cache_new is sleepable within IRQ-disabled region',
  ],
  [
    'every path restores',
    tc(`r6 = *(u32 *)(r1 + 0); ${save(8)}; if r6 == 0 goto out; ${restore(8)}; out: ${END}`),
    'BPF_EXIT instruction in main prog cannot be used inside bpf_local_irq_save-ed region',
  ],
  [
    'a function may restore the flag of its caller',
    tc(`${save(8)}; ${stack(1, 8)}; call f; ${END}`, func('static int f(void *flag)', `call bpf_local_irq_restore; ${END}`)),
    'accept',
  ],
];

/** Eight bytes at the frame pointer belong to nobody: Linux 6.18 takes them for the first slot (stack_slot_obj_get_spi). */
describeRules('interrupt flags', RULES, {
  'the frame pointer itself counts as the first slot':
    'out-of-bounds at insn 4: bpf_local_irq_restore: read of 8 bytes at 0xffff888000200240: 0 bytes past the top of a stack frame',
});
