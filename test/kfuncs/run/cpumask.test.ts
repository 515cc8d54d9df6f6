import { describe, expect, it } from 'vitest';
import { TestHost } from '../../helpers/host.ts';
import { profileWith, runKernelText } from '../../kernel/program.ts';
import { tracepoint } from '../../verifier/objects/prelude.ts';
import { print } from './print.ts';

const EACCES = -13n;
/** processors of the test host */
const CPUS = 4n;

class Bench extends TestHost {
  override btf = profileWith().btf;

  create(...cpus: readonly number[]): bigint {
    const mask = BigInt.asUintN(64, this.runKfunc('bpf_cpumask_create', []));
    for (const cpu of cpus) this.ask('set_cpu', cpu, mask);
    return mask;
  }

  ask(name: string, ...args: readonly (number | bigint)[]): bigint {
    return this.runKfunc(`bpf_cpumask_${name}`, args);
  }

  members(mask: bigint): number[] {
    return [0, 1, 2, 3, 4].filter((cpu) => this.ask('test_cpu', cpu, mask) === 1n);
  }
}

describe('CPU masks', () => {
  it.each<[name: string, cpus: readonly number[], result: bigint]>([
    ['first', [2, 3], 2n],
    ['first', [], CPUS],
    ['first_zero', [0, 2], 1n],
    ['first_zero', [0, 1, 2, 3], CPUS],
    ['empty', [], 1n],
    ['empty', [3], 0n],
    ['full', [0, 1, 2, 3], 1n],
    ['full', [0, 1, 2], 0n],
    ['weight', [0, 3], 2n],
    ['weight', [], 0n],
  ])('%s of %j is %d', (name, cpus, result) => {
    const bench = new Bench();
    expect(bench.ask(name, bench.create(...cpus))).toBe(result);
  });

  it.each<[name: string, first: readonly number[], second: readonly number[], result: bigint]>([
    ['first_and', [0, 2, 3], [1, 2, 3], 2n],
    ['first_and', [0], [1], CPUS],
    ['equal', [1], [1], 1n],
    ['equal', [1], [1, 2], 0n],
    ['intersects', [1, 2], [2, 3], 1n],
    ['intersects', [1], [2], 0n],
    ['subset', [1], [1, 2], 1n],
    ['subset', [1, 2], [1], 0n],
    ['subset', [], [], 1n],
  ])('%s of %j and %j is %d', (name, first, second, result) => {
    const bench = new Bench();
    expect(bench.ask(name, bench.create(...first), bench.create(...second))).toBe(result);
  });

  it.each<[name: string, result: bigint | null, members: readonly number[]]>([
    ['and', 1n, [1]],
    ['or', null, [0, 1, 2]],
    ['xor', null, [0, 2]],
  ])('%s of 0, 1 and 1, 2', (name, result, members) => {
    const bench = new Bench();
    const target = bench.create(3);
    const answer = bench.ask(name, target, bench.create(0, 1), bench.create(1, 2));
    if (result !== null) expect(answer).toBe(result);
    expect(bench.members(target)).toEqual(members);
  });

  it('an intersection may be empty', () => {
    const bench = new Bench();
    expect(bench.ask('and', bench.create(3), bench.create(0), bench.create(1))).toBe(0n);
  });

  it('CPUs that do not exist are in no mask', () => {
    const bench = new Bench();
    const mask = bench.create(4, 99);
    expect([bench.ask('test_and_set_cpu', 4, mask), bench.ask('test_cpu', 4, mask), bench.ask('weight', mask)]).toEqual([
      0n,
      0n,
      0n,
    ]);
  });

  it('tests and changes', () => {
    const bench = new Bench();
    const mask = bench.create();
    const seen = ['test_and_set_cpu', 'test_and_set_cpu', 'test_and_clear_cpu', 'test_and_clear_cpu'];
    expect(seen.map((name) => bench.ask(name, 2, mask))).toEqual([0n, 1n, 1n, 0n]);
  });

  it('sets all, clears all, copies', () => {
    const bench = new Bench();
    const mask = bench.create();
    bench.ask('setall', mask);
    const copy = bench.create();
    bench.ask('copy', copy, mask);
    bench.ask('clear', mask);
    expect([bench.members(mask), bench.members(copy)]).toEqual([[], [0, 1, 2, 3]]);
    expect(bench.at(copy, 9), 'the last word is filled up').toEqual(new Uint8Array([255, 255, 255, 255, 255, 255, 255, 255, 0]));
  });

  it('chooses a different CPU each time, and does not begin with the first', () => {
    const bench = new Bench();
    const mask = bench.create(0, 2, 3);
    expect([1, 2, 3, 4].map(() => bench.ask('any_distribute', mask))).toEqual([2n, 3n, 0n, 2n]);
    expect(bench.ask('any_and_distribute', mask, bench.create(0))).toBe(0n);
    expect(bench.ask('any_distribute', bench.create())).toBe(CPUS);
  });

  it('is filled from memory that has a whole word', () => {
    const bench = new Bench();
    const mask = bench.create();
    const bytes = bench.place(Uint8Array.of(0b1010, 0, 0, 0, 0, 0, 0, 0));
    expect(bench.ask('populate', mask, bytes, 7)).toBe(EACCES);
    expect([bench.ask('populate', mask, bytes, 8), bench.members(mask)]).toEqual([0n, [1, 3]]);
  });

  it('goes away with its last reference', () => {
    const bench = new Bench();
    const mask = bench.create();
    bench.ask('acquire', mask);
    bench.ask('release', mask);
    expect(bench.ask('empty', mask)).toBe(1n);
    bench.ask('release', mask);
    expect(() => bench.ask('empty', mask)).toThrow('freed bpf_cpumask');
  });

  it('needs memory', () => {
    const bench = new Bench();
    bench.allocationFailure = true;
    expect(bench.create()).toBe(0n);
  });

  it('runs from a program', () => {
    const { printk, machine } = runKernelText(
      tracepoint(`call bpf_cpumask_create; if r0 == 0 goto out; r6 = r0
        r1 = 1; r2 = r6; call bpf_cpumask_set_cpu
        r1 = r6; call bpf_cpumask_first; r7 = r0; ${print('r7')}
        r1 = r6; call bpf_cpumask_release
        out: r0 = 0; exit`),
    );
    expect(printk).toEqual(['1']);
    expect([...machine.memory.live()].some(({ what }) => what === 'bpf_cpumask')).toBe(false);
  });
});
