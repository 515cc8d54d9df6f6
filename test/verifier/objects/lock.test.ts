import { describeRules, type Rule } from '../rules.ts';
import { lookup, OUT, stack, tc } from './prelude.ts';

/** Calls a kfunc or helper on the lock of the value that `value` points to. */
const on = (callee: string, value = 'r6'): string => `r1 = ${value}; r1 += 4; call ${callee}`;
const take = `${on('bpf_res_spin_lock')}; if r0 != 0 goto out`;
const takeWithIrq = `r1 = r6; r1 += 4; ${stack(2, 16)}; call bpf_res_spin_lock_irqsave; if r0 != 0 goto out`;
const unlock = on('bpf_res_spin_unlock');
const value = lookup('res_locks', 'r6');
const twoValues = `${lookup('res_hash', 'r6')}; ${lookup('res_hash', 'r7', 1)}`;

const RULES: readonly Rule[] = [
  ['a resilient lock that was taken is dropped', tc(`${value}; ${take}; ${unlock}; ${OUT}`), 'accept'],
  [
    'a resilient lock may not be had',
    tc(`${value}; ${on('bpf_res_spin_lock')}; ${unlock}; ${OUT}`),
    'bpf_res_spin_unlock without taking a lock',
  ],
  [
    'a program does not end with a lock',
    tc(`${value}; ${take}; r0 = 0; exit; ${OUT}`),
    'BPF_EXIT instruction in main prog cannot be used inside bpf_spin_lock-ed region',
  ],
  [
    'the pointer is exactly at the lock',
    tc(`${value}; r1 = r6; call bpf_res_spin_lock; ${OUT}`),
    "off 0 doesn't point to 'struct bpf_res_spin_lock' that is at 4",
  ],
  [
    'the pointer to a lock has a known offset',
    tc(`${value}; r1 = r6; r2 = *(u32 *)(r6 + 0); r2 &= 4; r1 += r2; call bpf_res_spin_lock; ${OUT}`),
    "R1 doesn't have constant offset. bpf_res_spin_lock has to be at the constant offset",
  ],
  [
    'a map with locks has BTF',
    tc(`${lookup('bytes', 'r6')}; r1 = r6; call bpf_res_spin_lock; ${OUT}`),
    "map 'bytes' has to have BTF in order to use bpf_res_spin_lock",
  ],
  [
    'a plain lock is no resilient one',
    tc(`${lookup('locks', 'r6')}; ${on('bpf_res_spin_lock')}; ${OUT}`),
    "map 'locks' has no valid bpf_res_spin_lock",
  ],
  [
    'a resilient lock is no plain one',
    tc(`${value}; ${on('bpf_spin_lock')}; ${OUT}`),
    "map 'res_locks' has no valid bpf_spin_lock",
  ],
  [
    'a lock does not stand on the stack',
    tc(`${stack(1, 8)}; call bpf_res_spin_lock; r0 = 0; exit`),
    "arg#0 doesn't point to map value or allocated object",
  ],
  [
    'a resilient lock is not taken twice',
    tc(`${value}; ${take}; ${on('bpf_res_spin_lock')}; ${OUT}`),
    'Acquiring the same lock again, AA deadlock detected',
  ],
  [
    'two resilient locks may be held',
    tc(
      `${twoValues}; ${take}; ${on('bpf_res_spin_lock', 'r7')}; if r0 != 0 goto inner; ${on('bpf_res_spin_unlock', 'r7')}; inner: ${unlock}; ${OUT}`,
    ),
    'accept',
  ],
  [
    'locks are dropped innermost first',
    tc(`${twoValues}; ${take}; ${on('bpf_res_spin_lock', 'r7')}; if r0 != 0 goto inner; ${unlock}; inner: ${unlock}; ${OUT}`),
    'bpf_res_spin_unlock cannot be out of order',
  ],
  [
    'only a lock that is held is dropped',
    tc(`${twoValues}; ${take}; ${on('bpf_res_spin_unlock', 'r7')}; ${OUT}`),
    'bpf_res_spin_unlock of different lock',
  ],
  ['without a lock there is none to drop', tc(`${value}; ${unlock}; ${OUT}`), 'bpf_res_spin_unlock without taking a lock'],
  [
    'a lock with interrupts off',
    tc(`${value}; ${takeWithIrq}; r1 = r6; r1 += 4; ${stack(2, 16)}; call bpf_res_spin_unlock_irqrestore; ${OUT}`),
    'accept',
  ],
  [
    'interrupts are restored with the lock',
    tc(`${value}; ${takeWithIrq}; ${unlock}; ${OUT}`),
    'bpf_res_spin_unlock of different lock',
  ],
  [
    'a lock keeps other calls out',
    tc(`${value}; ${take}; call bpf_get_prandom_u32; ${OUT}`),
    'function calls are not allowed while holding a lock',
  ],
  ['a plain lock', tc(`${lookup('locks', 'r6')}; ${on('bpf_spin_lock')}; ${on('bpf_spin_unlock')}; ${OUT}`), 'accept'],
  [
    'plain locks do not nest',
    tc(`${lookup('locks', 'r6')}; ${on('bpf_spin_lock')}; ${on('bpf_spin_lock')}; ${OUT}`),
    'function calls are not allowed while holding a lock',
  ],
  [
    'a plain lock keeps kfuncs out',
    tc(`${lookup('locks', 'r6')}; ${on('bpf_spin_lock')}; call bpf_rcu_read_lock; ${OUT}`),
    'function calls are not allowed while holding a lock',
  ],
  [
    'without a plain lock there is none to drop',
    tc(`${lookup('locks', 'r6')}; ${on('bpf_spin_unlock')}; ${OUT}`),
    'bpf_spin_unlock without taking a lock',
  ],
];

describeRules('locks', RULES);
