import { describe, expect, it } from 'vitest';
import { Reject, Unmodelled } from '../../src/contracts/errors.ts';
import type { ArenaMap } from '../../src/maps/arena.ts';
import { indexKey } from '../../src/maps/bpf_map.ts';
import { dumpMap, seedMap } from '../../src/maps/dump.ts';
import type { RingBufferMap } from '../../src/maps/ring_buffer.ts';
import { Machine } from '../../src/vm/machine.ts';
import { fillSlots, run, runIn } from '../../src/vm/run.ts';
import { image, profile, resultOf, runText } from './programs.ts';

const COUNTER = `
  .map counts hash key_size=4 value_size=8 max_entries=4
  .section "xdp"
  .program p
  r1 = 7
  *(u32 *)(r10 - 4) = r1
  r2 = r10
  r2 += -4
  r1 = counts ll
  call bpf_map_lookup_elem
  if r0 != 0 goto known
  *(u64 *)(r10 - 16) = 1
  r1 = counts ll
  r2 = r10
  r2 += -4
  r3 = r10
  r3 += -16
  r4 = 0
  call bpf_map_update_elem
  r0 = 2
  exit
  known: r1 = 1
  lock *(u64 *)(r0 + 0) += r1
  r0 = 2
  exit`;

describe('a machine', () => {
  it('keeps its maps from run to run', () => {
    const object = image(COUNTER);
    const machine = new Machine(profile);
    for (let i = 0; i < 5; i++) expect(runIn(machine, object.programs[0]!).returned).toBe('XDP_PASS');
    expect(dumpMap(machine.maps.named('counts')!)).toEqual([
      { key: ['0x07', '0x00', '0x00', '0x00'], value: ['0x05', '0x00', '0x00', '0x00', '0x00', '0x00', '0x00', '0x00'] },
    ]);
  });

  it('can have its maps seeded before a run', () => {
    const object = image(COUNTER);
    const machine = new Machine(profile);
    seedMap(machine.maps.of(object.maps[0]!), [{ key: [7, 0, 0, 0], value: [41, 0, 0, 0, 0, 0, 0, 0] }]);
    runIn(machine, object.programs[0]!);
    expect(machine.maps.named('counts')!.userLookup(indexKey(7))).toEqual(Uint8Array.of(42, 0, 0, 0, 0, 0, 0, 0));
  });

  it('shares maps between the programs of an object', () => {
    const object = image(`
      .map cell array key_size=4 value_size=8 max_entries=1
      .section "tc"
      .program writer
      r1 = cell[0] ll
      *(u64 *)(r1 + 0) = 33
      r0 = 0
      exit
      .program reader
      r1 = cell[0] ll
      r0 = *(u64 *)(r1 + 0)
      exit`);
    const machine = new Machine(profile);
    runIn(machine, object.programs[0]!);
    expect(runIn(machine, object.programs[1]!).result).toBe(33n);
  });

  it('that was given back leaves nothing to the next one', () => {
    const text = '.section "tc"\nr1 = 0x1122334455667788 ll\n*(u64 *)(r10 - 256) = r1\nr0 = 0\nexit';
    const machine = new Machine(profile, { seed: 5 });
    const program = image(text).programs[0]!;
    runIn(machine, program);
    const used = machine.memory.u8.slice(machine.memory.base, machine.memory.base + 65536);
    machine.release();
    const next = new Machine(profile, { seed: 5 });
    expect(next.memory.u8.subarray(next.memory.base, next.memory.base + 65536).every((byte) => byte === 0)).toBe(true);
    runIn(next, program);
    expect(next.memory.u8.slice(next.memory.base, next.memory.base + 65536)).toEqual(used);
  });

  it('that makes a map which the kernel would refuse says so', () => {
    expect(() => runText('.map m array key_size=8 value_size=8 max_entries=1\nr1 = m ll\nr0 = 0\nexit')).toThrow(Reject);
  });

  it('runs out of memory as the kernel does', () => {
    const text = `.map big array key_size=4 value_size=4096 max_entries=4096\nr1 = big ll\nr0 = 0\nexit`;
    expect(() => runText(text, { machine: { memoryLimit: 1 << 20 } })).toThrow('ENOMEM');
  });
});

describe('entry code', () => {
  it('prints', () => {
    const heard: string[] = [];
    const text = `
      .rodata "const char format[12]" = "%d and %u"
      .section "tc"
      .program p
      r1 = format ll
      r2 = 10
      r3 = -5
      r4 = 7
      call bpf_trace_printk
      exit`;
    const { printk } = runText(text, { onPrintk: (message) => heard.push(message) });
    expect(printk).toEqual(['-5 and 7']);
    expect(heard).toEqual(printk);
  });

  it('leaves redirects, perf and ring buffer output as outcomes', () => {
    const text = `
      .map events perf_event_array key_size=4 value_size=4 max_entries=2
      .map ring ringbuf max_entries=4096
      .section "tc"
      .program p
      r6 = r1
      *(u64 *)(r10 - 8) = 0x55
      r1 = ring ll
      r2 = r10
      r2 += -8
      r3 = 8
      r4 = 0
      call bpf_ringbuf_output
      r1 = r6
      r2 = events ll
      r3 = 0xffffffff ll
      r4 = r10
      r4 += -8
      r5 = 4
      call bpf_perf_event_output
      r1 = 9
      r2 = 0
      call bpf_redirect
      exit`;
    const { outcomes, returned, machine } = runText(text);
    expect(returned).toBe('TC_ACT_REDIRECT');
    expect(outcomes.map((outcome) => outcome.kind)).toEqual(['ringbuf-output', 'perf-output', 'redirect']);
    expect(outcomes[1]).toMatchObject({ map: 'events', cpu: 0, data: Uint8Array.of(0x55, 0, 0, 0) });
    expect(outcomes[2]).toMatchObject({ helper: 'bpf_redirect', target: 9 });
    expect((machine.maps.named('ring') as RingBufferMap).consume()).toEqual([Uint8Array.of(0x55, 0, 0, 0, 0, 0, 0, 0)]);
  });

  it('faults with its name when a program gives it a bad pointer', () => {
    const { fault } = runText(
      '.map m array key_size=4 value_size=4 max_entries=1\nr1 = m ll\nr2 = 0\ncall bpf_map_lookup_elem\nexit',
    );
    expect([fault?.reason, fault?.insn]).toEqual(['null', 3]);
    expect(fault?.message).toMatch(/^bpf_map_lookup_elem: read of 4 bytes at 0x0: NULL pointer$/);
    expect(runText('r1 = 8\nr2 = 0\ncall bpf_map_lookup_elem\nexit').fault?.message).toContain('argument 1 is no map');
  });

  it('that cannot run keeps a program from starting, unless it is out of reach', () => {
    const helpers = profile.helpers.map((helper) =>
      helper?.name === 'bpf_get_prandom_u32' ? { ...helper, protos: helper.protos.map(({ run: _, ...proto }) => proto) } : helper,
    );
    const machine = new Machine({ ...profile, helpers });
    const call = 'call bpf_get_prandom_u32';
    const reaching = image(`.section "tc"\n${call}\nr0 = 0\nexit`).programs[0]!;
    expect(() => runIn(machine, reaching)).toThrow(Unmodelled);
    const jumpedOver = image(`.section "tc"\ngoto out\n${call}\nout: r0 = 0\nexit`).programs[0]!;
    expect(runIn(machine, jumpedOver).result).toBe(0n);
    const neverTrue = image(`.section "tc"\nif r1 != 0 goto out\n${call}\nout: r0 = 0\nexit`).programs[0]!;
    expect(runIn(machine, neverTrue, { reached: new Set([0, 2, 3]) }).result).toBe(0n);
  });

  it('reads a clock that passes with the program, and repeats', () => {
    const text = '.section "tc"\ncall bpf_ktime_get_ns\nr6 = r0\ncall bpf_ktime_get_ns\nr0 -= r6\nexit';
    const elapsed = resultOf(text);
    expect(elapsed).toBeGreaterThan(0n);
    expect(resultOf(text)).toBe(elapsed);
    expect(resultOf('.section "tc"\ncall bpf_ktime_get_ns\nexit', { machine: { clock: { boot: 5_000_000n } } })).toBeGreaterThan(
      5_000_000n,
    );
  });

  it('draws seeded random numbers', () => {
    const text = '.section "tc"\ncall bpf_get_prandom_u32\nr6 = r0\ncall bpf_get_prandom_u32\nr0 <<= 32\nr0 |= r6\nexit';
    expect(resultOf(text)).toBe(resultOf(text));
    expect(resultOf(text)).not.toBe(resultOf(text, { machine: { seed: 2 } }));
  });

  it('runs on the processor and for the task that the machine has', () => {
    expect(resultOf('.section "tc"\ncall bpf_get_smp_processor_id\nexit', { machine: { cpu: 1 } })).toBe(1n);
    const task = { pid: 12, tgid: 34, comm: 'sh' };
    expect(resultOf('.section "kprobe/x"\ncall bpf_get_current_pid_tgid\nexit', { machine: { task } })).toBe((34n << 32n) | 12n);
  });
});

describe('maps in maps', () => {
  it('give programs their inner maps', () => {
    const text = `
      .map slot array key_size=4 value_size=8 max_entries=2 template
      .map first array key_size=4 value_size=8 max_entries=2
      .map outer array_of_maps key_size=4 value_size=4 max_entries=4 inner=slot slots=2:first
      .section "tc"
      .program p
      *(u32 *)(r10 - 4) = INDEX
      r1 = outer ll
      r2 = r10
      r2 += -4
      call bpf_map_lookup_elem
      if r0 == 0 goto none
      *(u32 *)(r10 - 4) = 1
      r1 = r0
      r2 = r10
      r2 += -4
      call bpf_map_lookup_elem
      if r0 == 0 goto none
      *(u64 *)(r0 + 0) = 99
      r0 = 1
      exit
      none: r0 = 0
      exit`;
    expect(resultOf(text.replace('INDEX', '1'))).toBe(0n);
    const object = image(text.replace('INDEX', '2'));
    const machine = new Machine(profile);
    fillSlots(machine, object.programs[0]!, object);
    expect(runIn(machine, object.programs[0]!).result).toBe(1n);
    expect(machine.maps.named('first')!.userLookup(indexKey(1))).toEqual(Uint8Array.of(99, 0, 0, 0, 0, 0, 0, 0));
  });
});

describe('fault-protected loads', () => {
  it('read 0 from a bad address, and memory from a good one', () => {
    const program = image('r1 = 0x123 ll\nr0 = *(u64 *)(r1 + 8)\nr0 += 5\nexit').programs[0]!;
    expect(run(program, profile).fault?.reason).toBe('null');
    expect(run(program, profile, { probeLoads: new Set([2]) }).result).toBe(5n);
    const good = image('r2 = 77\n*(u64 *)(r10 - 8) = r2\nr0 = *(u8 *)(r10 - 8)\nexit').programs[0]!;
    expect(run(good, profile, { probeLoads: new Set([2]) }).result).toBe(77n);
  });
});

describe('read-only data', () => {
  it('can be read through its address and not written', () => {
    const text = (access: string): string =>
      `.rodata "const int limit" = 1234\n.section "tc"\n.program p\nr1 = limit ll\n${access}\nexit`;
    expect(resultOf(text('r0 = *(u32 *)(r1 + 0)'))).toBe(1234n);
    expect(runText(text('*(u32 *)(r1 + 0) = 1')).fault?.reason).toBe('read-only');
    expect(runText(text('r0 = *(u64 *)(r1 + 0)')).fault?.reason).toBe('out-of-bounds');
  });
});

describe('the arena', () => {
  const text = (access: string): string => `
    .map arena arena max_entries=4 flags=BPF_F_MMAPABLE
    .section "syscall"
    .program p
    r1 = arena ll
    r1 = *(u64 *)(r10 - 8)
    r1 = 0x1008 ll
    r2 = addr_space_cast(r1, 0, 1)
    ${access}
    exit`;
  const withArena = (access: string, pages: number) => {
    const object = image(text(access));
    const machine = new Machine(profile);
    const arena = machine.maps.of(object.maps[0]!) as ArenaMap;
    arena.allocatePages(0n, pages);
    return { arena, done: runIn(machine, object.programs[0]!) };
  };

  it('is reached by the low half of a pointer', () => {
    const { arena, done } = withArena('r3 = 0x77\n*(u64 *)(r2 + 0) = r3\nr0 = *(u32 *)(r2 + 0)', 2);
    expect([done.fault, done.result]).toEqual([null, 0x77n]);
    expect(arena.read(0x1008, 2)).toEqual(Uint8Array.of(0x77, 0));
  });

  it('reads 0 from pages that are not mapped, and drops what is stored there', () => {
    const { done } = withArena('r3 = 0x77\n*(u64 *)(r2 + 0) = r3\nr0 = *(u32 *)(r2 + 0)', 1);
    expect([done.fault, done.result]).toEqual([null, 0n]);
  });

  it('has user addresses after a cast back; NULL stays NULL', () => {
    const { arena, done } = withArena('r0 = addr_space_cast(r2, 1, 0)', 0);
    expect(done.result).toBe(arena.userStart + 0x1008n);
    expect(withArena('r2 = 0\nr0 = addr_space_cast(r2, 1, 0)', 0).done.result).toBe(0n);
  });
});
