import { lookup, OUT, stack, syscall, tc, tracepoint } from '../objects/prelude.ts';
import { describeRules, type Rule } from '../rules.ts';

const ENTER = 'call bpf_rcu_read_lock';
const LEAVE = 'call bpf_rcu_read_unlock';
const SLEEP = `${stack(1, 8)}; call bpf_iter_kmem_cache_new`;
const END = 'r0 = 0; exit';
const newTasks = `${stack(1, 24)}; r2 = 0; r3 = 1; call bpf_iter_task_new`;
const nextTask = `${stack(1, 24)}; call bpf_iter_task_next`;
const endTasks = `${stack(1, 24)}; call bpf_iter_task_destroy`;

const RULES: readonly Rule[] = [
  ['a section is left as often as it is entered', syscall(`${ENTER}; ${LEAVE}; ${END}`), 'accept'],
  ['RCU sections do not nest', syscall(`${ENTER}; ${ENTER}; ${END}`), 'nested rcu read lock (kernel function bpf_rcu_read_lock)'],
  [
    'only an RCU section that was entered is left',
    syscall(`${LEAVE}; ${END}`),
    'unmatched rcu read unlock (kernel function bpf_rcu_read_unlock)',
  ],
  [
    'a program does not end in an RCU section',
    syscall(`${ENTER}; ${END}`),
    'BPF_EXIT instruction in main prog cannot be used inside bpf_rcu_read_lock-ed region',
  ],
  [
    'a kfunc does not sleep in an RCU section',
    syscall(`${ENTER}; ${SLEEP}; ${END}`),
    'kernel func bpf_iter_kmem_cache_new is sleepable within rcu_read_lock region',
  ],
  [
    'a pointer from a section is not trusted behind it',
    syscall(
      `${lookup('kptrs', 'r7')}; ${ENTER}; r6 = *(u64 *)(r7 + 0); ${LEAVE}; if r6 == 0 goto out; r1 = r6; call bpf_task_acquire; ${OUT}`,
    ),
    'R1 must be a rcu pointer',
  ],
  [
    'a pointer that RCU protects is good inside',
    syscall(
      `${lookup('kptrs', 'r7')}; ${ENTER}; r1 = *(u64 *)(r7 + 0); if r1 == 0 goto leave; call bpf_task_acquire; if r0 == 0 goto leave; r1 = r0; call bpf_task_release; leave: ${LEAVE}; ${OUT}`,
    ),
    'accept',
  ],
  ['a program that cannot sleep is in a section all the time', tracepoint(`${newTasks}; ${endTasks}; ${END}`), 'accept'],
  [
    'an iterator that RCU protects needs a section',
    syscall(`${newTasks}; ${END}`),
    'kernel func bpf_iter_task_new requires RCU critical section protection',
  ],
  [
    'an iterator that RCU protects works in a section',
    syscall(`${ENTER}; ${newTasks}; ${nextTask}; ${endTasks}; ${LEAVE}; ${END}`),
    'accept',
  ],
  [
    'an iterator does not survive its section',
    syscall(`${ENTER}; ${newTasks}; ${LEAVE}; ${ENTER}; ${nextTask}; ${endTasks}; ${LEAVE}; ${END}`),
    'expected an RCU CS when using bpf_iter_task_next',
  ],
  [
    'preemption is enabled as often as it is disabled',
    tc(`call bpf_preempt_disable; call bpf_preempt_disable; call bpf_preempt_enable; call bpf_preempt_enable; ${END}`),
    'accept',
  ],
  [
    'a program does not end without preemption',
    tc(`call bpf_preempt_disable; ${END}`),
    'BPF_EXIT instruction in main prog cannot be used inside bpf_preempt_disable-ed region',
  ],
  [
    'only disabled preemption is enabled',
    tc(`call bpf_preempt_enable; ${END}`),
    'unmatched attempt to enable preemption (kernel function bpf_preempt_enable)',
  ],
  [
    'a kfunc does not sleep without preemption',
    syscall(`call bpf_preempt_disable; ${SLEEP}; ${END}`),
    'kernel func bpf_iter_kmem_cache_new is sleepable within non-preemptible region',
  ],
  [
    'a helper does not sleep without preemption',
    syscall(`call bpf_preempt_disable; ${stack(1, 16)}; r2 = 8; r3 = 0; call bpf_copy_from_user; ${END}`),
    'sleepable helper bpf_copy_from_user#148 in non-preemptible region',
  ],
  [
    'a sleepable kfunc needs a sleepable program',
    tc(`${SLEEP}; ${END}`),
    'program must be sleepable to call sleepable kfunc bpf_iter_kmem_cache_new',
  ],
];

describeRules('sections', RULES);
