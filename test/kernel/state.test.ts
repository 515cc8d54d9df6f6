import { describe, expect, it } from 'vitest';
import { BtfBuilder } from '../../src/btf/builder.ts';
import { btfFromC } from '../../src/btf/c_parser.ts';
import { Agenda } from '../../src/kernel/agenda.ts';
import { Clock } from '../../src/kernel/clock.ts';
import { GuestMemory, KERNEL_HIGH } from '../../src/kernel/memory.ts';
import { RandomNumbers } from '../../src/kernel/random.ts';
import { PERCPU_HIGH, PercpuRegion, TEXT_HIGH } from '../../src/kernel/regions.ts';
import { KernelSymbols } from '../../src/kernel/symbols.ts';
import { UserMemory } from '../../src/kernel/user_space.ts';

describe('the agenda', () => {
  it('gives actions in order of time, and of addition within a time', () => {
    const agenda = new Agenda<string>();
    agenda.add(30n, 'late');
    agenda.add(10n, 'first');
    agenda.add(30n, 'last');
    agenda.add(20n, 'second');
    expect([agenda.size, agenda.next]).toEqual([4, 10n]);
    expect(agenda.takeDue(9n)).toBeNull();
    expect([20n, 20n, 20n].map((now) => agenda.takeDue(now))).toEqual(['first', 'second', null]);
    expect([99n, 99n, 99n].map((now) => agenda.takeDue(now))).toEqual(['late', 'last', null]);
    expect(agenda.next).toBeNull();
  });

  it('forgets what is cancelled, once', () => {
    const agenda = new Agenda<string>();
    const ticket = agenda.add(1n, 'never');
    expect([agenda.cancel(ticket), agenda.cancel(ticket), agenda.cancel(99)]).toEqual([true, false, false]);
    expect(agenda.takeDue(5n)).toBeNull();
  });
});

describe('the clock', () => {
  it('passes with instructions and readings, and in jumps', () => {
    let executed = 0;
    const clock = new Clock({ boot: 1000n }, () => executed);
    expect(clock.nanoseconds).toBe(1000n);
    executed = 50;
    expect(clock.nanoseconds).toBe(1050n);
    const first = clock.read('monotonic');
    expect(clock.read('monotonic')).toBeGreaterThan(first);
    clock.advance(1_000_000n);
    expect(clock.read('boottime')).toBeGreaterThan(1_000_000n);
  });

  it('has a coarse face, a wall face, and atomic time 37 seconds ahead of it', () => {
    const clock = new Clock({ boot: 5_432_100_000n, realtime: 1_700_000_000_000_000_000n }, () => 0);
    expect(clock.read('coarse') % 1_000_000n).toBe(0n);
    const wall = clock.read('realtime');
    expect(wall).toBeGreaterThanOrEqual(1_700_000_000_000_000_000n);
    expect(clock.read('tai') - wall).toBeGreaterThanOrEqual(37_000_000_000n);
  });

  it('counts jiffies from five minutes before the 32-bit counter wraps, a thousand a second', () => {
    expect(new Clock({ boot: 2_000_000_000n }, () => 0).jiffies()).toBe(2n ** 32n - 300_000n + 2000n);
  });
});

describe('random numbers', () => {
  it('repeat with their seed, and fill 32 bits', () => {
    const draw = (seed: number): number[] => {
      const numbers = new RandomNumbers(seed);
      return Array.from({ length: 200 }, () => numbers.next());
    };
    expect(draw(3)).toEqual(draw(3));
    expect(draw(3)).not.toEqual(draw(4));
    for (let bit = 0; bit < 32; bit++) {
      const ones = draw(3).filter((number) => (number >>> bit) & 1).length;
      expect(ones).toBeGreaterThan(60);
      expect(ones).toBeLessThan(140);
    }
  });
});

describe('user memory', () => {
  const lo = (address: number): number => address | 0;

  it('is read and written where pages are mapped, across their borders', () => {
    const user = new UserMemory();
    user.place(0x10ffe, Uint8Array.of(1, 2, 3, 4));
    expect(user.read(lo(0x10ffe), 0, 4)).toEqual(Uint8Array.of(1, 2, 3, 4));
    expect(user.write(lo(0x10fff), 0, Uint8Array.of(9, 8))).toBe(true);
    expect(user.read(lo(0x10ffe), 0, 4)).toEqual(Uint8Array.of(1, 9, 8, 4));
    expect(user.read(lo(0x11ffe), 0, 4)).toBeNull();
    user.unmap(0x11000, 4096);
    expect(user.read(lo(0x10ffe), 0, 4)).toBeNull();
  });

  it('writes all or nothing', () => {
    const user = new UserMemory();
    user.map(0x1000, 4096);
    user.map(0x2000, 4096, false);
    expect(user.write(0x1ffe, 0, Uint8Array.of(1, 2, 3, 4))).toBe(false);
    expect(user.read(0x1ffe, 0, 2)).toEqual(Uint8Array.of(0, 0));
    user.map(0x2000, 4096, true);
    expect(user.write(0x1ffe, 0, Uint8Array.of(1, 2, 3, 4))).toBe(true);
  });

  it('has strings up to their zero, cut at the limit', () => {
    const user = new UserMemory();
    user.place(0x7fff_0000_0ffd, Uint8Array.of(65, 66, 67, 0));
    const read = (limit: number) => user.readString(0x0ffd, 0x7fff, limit);
    expect(read(100)).toEqual(Uint8Array.of(65, 66, 67, 0));
    expect(read(2)).toEqual(Uint8Array.of(65, 66));
    user.unmap(0x7fff_0000_1000, 1);
    expect(read(100)).toBeNull();
  });

  it('ends below the kernel', () => {
    const user = new UserMemory();
    user.map(2 ** 47 - 8192, 16384);
    expect(user.read(0xfffff000 | 0, 0x7fff, 1)).toBeNull();
    expect(user.read(0xffffeff8 | 0, 0x7fff, 8)).not.toBeNull();
    expect(user.read(0, KERNEL_HIGH, 1)).toBeNull();
  });
});

describe('kernel symbols', () => {
  const builder = new BtfBuilder();
  const { btf } = btfFromC('struct rq { int nr; long load; }; struct rq plain_variable; int some_function(int a);', builder);
  const memory = new GuestMemory({ limit: 1 << 20 });
  const symbols = new KernelSymbols(memory, new PercpuRegion(memory, 2), btf);
  const idOf = (name: string, kind: 'VAR' | 'FUNC'): number => btf.findByName(name, kind)!.id;

  it('are zeroed read-only memory of the size of the variable, the same each time', () => {
    const at = symbols.address(idOf('plain_variable', 'VAR'));
    if (typeof at === 'string') throw new Error(at);
    expect(at.hi).toBe(KERNEL_HIGH);
    expect(memory.probe(at.lo, at.hi, 16, false)).toBe(at.lo);
    expect(memory.probe(at.lo, at.hi, 17, false)).toBe(-1);
    expect(memory.probe(at.lo, at.hi, 1, true)).toBe(-1);
    expect(symbols.address(idOf('plain_variable', 'VAR'))).toEqual(at);
  });

  it('of functions are text addresses, one for each', () => {
    expect(symbols.address(idOf('some_function', 'FUNC'))).toMatchObject({ hi: TEXT_HIGH });
  });

  it('of other types are none', () => {
    expect(symbols.address(btf.findByName('rq', 'STRUCT')!.id)).toContain('is no kernel variable');
    expect(symbols.address(99999)).toContain('is no kernel variable');
    expect(PERCPU_HIGH).not.toBe(KERNEL_HIGH);
  });
});
