import { describe, expect, it } from 'vitest';
import { TestHost } from '../../helpers/host.ts';
import { profileWith, runKernelText } from '../../kernel/program.ts';
import { allocate, drop, lookup, OUT, syscall, tc } from '../../verifier/objects/prelude.ts';
import { print } from './print.ts';

const EDEADLK = -35n;
const ETIMEDOUT = -110n;
const MILLISECOND = 1_000_000n;

class Bench extends TestHost {
  override btf = profileWith().btf;

  lock(at: bigint, flags?: bigint): bigint {
    return flags === undefined
      ? this.runKfunc('bpf_res_spin_lock', [at])
      : this.runKfunc('bpf_res_spin_lock_irqsave', [at, flags]);
  }

  words(count: number): bigint[] {
    return Array.from({ length: count }, () => this.place(new Uint8Array(8)));
  }
}

describe('resilient locks', () => {
  it('are given and given back in any order', () => {
    const bench = new Bench();
    const [a, b] = bench.words(2) as [bigint, bigint];
    expect([bench.lock(a), bench.lock(b)]).toEqual([0n, 0n]);
    expect([bench.at(a, 4)[0], bench.state.locks.length, bench.state.preemptDepth]).toEqual([1, 2, 2]);
    for (const at of [a, b]) bench.runKfunc('bpf_res_spin_unlock', [at]);
    expect([bench.at(a, 4)[0], bench.state.locks.length, bench.state.preemptDepth]).toEqual([0, 0, 0]);
  });

  it('see that they are held by the same processor', () => {
    const bench = new Bench();
    const [a] = bench.words(1) as [bigint];
    bench.lock(a);
    expect([bench.lock(a), bench.spent]).toEqual([EDEADLK, MILLISECOND]);
  });

  it('do not see it among too many', () => {
    const bench = new Bench();
    const locks = bench.words(32);
    for (const at of locks) expect(bench.lock(at)).toBe(0n);
    expect([bench.lock(locks[29]!), bench.lock(locks[30]!)]).toEqual([EDEADLK, ETIMEDOUT]);
    expect(bench.spent).toBe(251n * MILLISECOND);
  });

  it('are waited for a quarter of a second', () => {
    const bench = new Bench();
    const at = bench.place(Uint8Array.of(1, 0, 0, 0));
    expect([bench.lock(at), bench.spent]).toEqual([ETIMEDOUT, 250n * MILLISECOND]);
  });

  it('keep interrupts off, and restore what was before', () => {
    const bench = new Bench();
    const [a, b, outer, inner] = bench.words(4) as [bigint, bigint, bigint, bigint];
    bench.lock(a, outer);
    bench.lock(b, inner);
    expect([bench.state.irqsDisabled, bench.at(outer, 2)[1], bench.at(inner, 2)[1]]).toEqual([true, 2, 0]);
    expect([bench.lock(a, bench.room(8)), bench.state.irqsDisabled]).toEqual([EDEADLK, true]);
    bench.runKfunc('bpf_res_spin_unlock_irqrestore', [b, inner]);
    expect(bench.state.irqsDisabled).toBe(true);
    bench.runKfunc('bpf_res_spin_unlock_irqrestore', [a, outer]);
    expect(bench.state.irqsDisabled).toBe(false);
  });

  it('found twice by a program are a deadlock', () => {
    const text = tc(
      `${lookup('res_locks', 'r6')}; r6 += 4; ${lookup('res_locks', 'r7')}; r7 += 4; r8 = 1
       r1 = r6; call bpf_res_spin_lock; if r0 != 0 goto out
       r1 = r7; call bpf_res_spin_lock; r8 = r0; if r0 != 0 goto refused
       r1 = r7; call bpf_res_spin_unlock
       refused: r1 = r6; call bpf_res_spin_unlock; ${print('r8')}; ${OUT}`,
    );
    expect(runKernelText(text).printk).toEqual(['-35']);
  });
});

describe('bpf_spin_lock', () => {
  it('is 1 while it is held, with interrupts off', () => {
    const bench = new Bench();
    const [a] = bench.words(1) as [bigint];
    bench.run('bpf_spin_lock', [a]);
    expect([bench.at(a, 4)[0], bench.state.irqsDisabled]).toEqual([1, true]);
    expect(() => bench.run('bpf_spin_lock', [a])).toThrow('the lock is held already');
    bench.run('bpf_spin_unlock', [a]);
    expect([bench.at(a, 4)[0], bench.state.irqsDisabled, bench.state.locks]).toEqual([0, false, []]);
    expect(() => bench.run('bpf_spin_unlock', [a])).toThrow('the lock is not held');
  });

  it('protects a counter', () => {
    const text = tc(`${lookup('locks', 'r6')}; r1 = r6; r1 += 4; call bpf_spin_lock
      r7 = *(u32 *)(r6 + 0); r7 += 5; *(u32 *)(r6 + 0) = r7; r1 = r6; r1 += 4; call bpf_spin_unlock; ${print('r7')}; ${OUT}`);
    expect(runKernelText(text).printk).toEqual(['5']);
  });
});

const KPTRS = `${lookup('kptrs', 'r6')}`;
const exchange = (offset: number, what: string): string => `r1 = r6; r1 += ${offset}; r2 = ${what}; call bpf_kptr_xchg`;

describe('pointers in maps', () => {
  it('own what is put there, and give it back', () => {
    const text = tc(`${KPTRS}; ${allocate('plain', 'r7')}; *(u64 *)(r7 + 0) = 9; ${exchange(8, 'r7')}; if r0 == 0 goto first
      r1 = r0; r2 = 0; call bpf_obj_drop_impl
      first: ${exchange(8, '0')}; if r0 == 0 goto out; r7 = r0; r8 = *(u64 *)(r7 + 0); ${drop('r7')}; ${print('r8')}; ${OUT}`);
    expect(runKernelText(text).printk).toEqual(['9']);
  });

  it('drop it with the value', () => {
    const text = tc(
      `${KPTRS}; ${allocate('plain', 'r7')}; ${exchange(8, 'r7')}; if r0 == 0 goto out; r1 = r0; r2 = 0; call bpf_obj_drop_impl; ${OUT}`,
    );
    const { machine } = runKernelText(text);
    const count = (): number => [...machine.memory.live()].filter(({ what }) => what === 'struct plain').length;
    expect(count()).toBe(1);
    const map = machine.maps.named('kptrs')!;
    map.userUpdate(new Uint8Array(4), new Uint8Array(map.valueSize));
    machine.advance(1n);
    expect(count()).toBe(0);
  });

  it('may be to memory of every processor', () => {
    const text = syscall(`${KPTRS}; r1 = @plain; r2 = 0; call bpf_percpu_obj_new_impl; if r0 == 0 goto out; r7 = r0
      ${exchange(24, 'r7')}; if r0 == 0 goto kept; r1 = r0; r2 = 0; call bpf_percpu_obj_drop_impl
      kept: call bpf_rcu_read_lock; r7 = *(u64 *)(r6 + 24); r8 = -1; r9 = -1; if r7 == 0 goto over
      r1 = r7; call bpf_this_cpu_ptr; *(u64 *)(r0 + 8) = 4
      r1 = r7; r2 = 0; call bpf_per_cpu_ptr; if r0 == 0 goto over; r8 = *(u64 *)(r0 + 8)
      r1 = r7; r2 = 1; call bpf_per_cpu_ptr; if r0 == 0 goto over; r9 = *(u64 *)(r0 + 8)
      over: call bpf_rcu_read_unlock; ${print('r8')}; ${print('r9')}; ${OUT}`);
    expect(runKernelText(text).printk).toEqual(['4', '0']);
  });

  it.each([
    ['of the first processor', 0, '1'],
    ['of one that is not there', 7, '0'],
  ])('a variable of the kernel %s', (_rule, cpu, expected) => {
    const bench = new Bench();
    const lo = bench.percpu.allocate(8, 'variable');
    const pointer = (BigInt(bench.percpu.high >>> 0) << 32n) | BigInt(lo);
    expect(bench.run('bpf_per_cpu_ptr', [pointer, cpu]) === 0n ? '0' : '1').toBe(expected);
    expect(BigInt.asUintN(64, bench.run('bpf_this_cpu_ptr', [pointer]))).toBe(
      bench.addressOf(bench.percpu.pointer(lo, bench.cpu)),
    );
  });
});
