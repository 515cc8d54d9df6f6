import { assemble } from '../../src/asm/assemble.ts';
import type { Profile } from '../../src/contracts/profile.ts';
import { KERNEL } from '../../src/kernel/kernel_model.ts';
import type { UserRingBufferMap } from '../../src/maps/user_ring_buffer.ts';
import { openProfile } from '../../src/profiles/index.ts';
import { withRevisions } from '../../src/profiles/revisions.ts';
import { verify } from '../../src/verifier/verify.ts';
import { Machine } from '../../src/vm/machine.ts';
import { runIn } from '../../src/vm/run.ts';
import { readVmlinuxPart } from '../profiles/packed_vmlinux.ts';

const base = openProfile('linux-6.18', readVmlinuxPart);
export const REVISIONS = ['v3', '6.1'] as const;
export type DrainRevision = (typeof REVISIONS)[number];
const profiles = new Map<string, Profile>(REVISIONS.map((name) => [name, withRevisions(base, [`user_ringbuf_drain=${name}`])]));

/**
 * Drains a ring with the given flags. The callback counts samples and adds up their first 4 bytes in a map; it answers 1 for
 * the sample whose number `stopAt` is.
 */
const text = (size: number, flags: number, stopAt: number, nested: boolean): string => `
  .c { struct seen { long count; long sum; }; }
  .map samples user_ringbuf max_entries=${size}
  .map seen array key="int" value="struct seen" max_entries=1
  .section "raw_tp/sys_enter"
  .program "int drain(void *ctx)"
  r1 = 0
  *(u64 *)(r10 - 8) = r1
  r1 = samples ll
  r2 = take ll
  r3 = r10
  r3 += -8
  r4 = ${flags}
  call bpf_user_ringbuf_drain
  exit
  .func "static long take(struct bpf_dynptr *sample, long *ctx)"
  r6 = r1
  r7 = r2
  r1 = 0
  *(u32 *)(r10 - 4) = r1
  *(u32 *)(r10 - 8) = r1
  r1 = seen ll
  r2 = r10
  r2 += -8
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r8 = r0
  r1 = *(u64 *)(r8 + 0)
  r1 += 1
  *(u64 *)(r8 + 0) = r1
  r9 = r1
  r1 = r10
  r1 += -16
  r2 = 4
  r3 = r6
  r4 = 0
  r5 = 0
  *(u64 *)(r10 - 16) = r4
  call bpf_dynptr_read
  r1 = *(u32 *)(r10 - 16)
  r2 = *(u64 *)(r8 + 8)
  r2 += r1
  *(u64 *)(r8 + 8) = r2
  ${nested ? 'r1 = samples ll; r2 = nothing ll; r3 = 0; r4 = 0; call bpf_user_ringbuf_drain; *(u64 *)(r8 + 8) = r0' : ''}
  if r9 == ${stopAt} goto stop
  out: r0 = 0
  exit
  stop: r0 = 1
  exit
  ${nested ? '.func "static long nothing(struct bpf_dynptr *sample, long *ctx)"\nr0 = 0\nexit' : ''}`;

export interface DrainSetup {
  readonly revision: DrainRevision;
  readonly size?: number;
  readonly flags?: number;
  readonly stopAt?: number;
  readonly nested?: boolean;
  readonly interrupts?: 'on' | 'off';
  /** puts records into the ring */
  readonly fill?: (ring: UserRingBufferMap) => void;
}

export interface Drained {
  readonly result: number;
  readonly calls: number;
  readonly sum: number;
  readonly consumer: number;
  /** wake-ups of waiting producers, once interrupts are on */
  readonly wakeups: number;
  readonly ring: UserRingBufferMap;
  readonly drainAgain: () => number;
}

export function drain(setup: DrainSetup): Drained {
  const { revision, size = 4096, flags = 0, stopAt = 0, nested = false, interrupts = 'on', fill } = setup;
  const profile = profiles.get(revision)!;
  const image = assemble(text(size, flags, stopAt, nested), 'drain.bpf.s', { profile });
  const program = image.programs[0]!;
  const verdict = verify(program, profile);
  if (verdict.verdict !== 'accept') throw new Error(`not accepted: ${verdict.message ?? verdict.unmodelled.join(', ')}`);
  const machine = new Machine(profile);
  const ring = machine.maps.of(program.maps[0]!) as UserRingBufferMap;
  fill?.(ring);
  if (interrupts === 'off') {
    machine.part(KERNEL).open(machine.memory, profile.btf, machine.cpuCount).interruption.irqsDisabled = true;
  }
  const once = (): number => {
    const done = runIn(machine, program);
    if (done.fault !== null) throw done.fault;
    machine.advance(1000n);
    return Number(BigInt.asIntN(64, done.result));
  };
  const result = once();
  const seen = machine.maps.of(program.maps[1]!).userLookup(new Uint8Array(4)) as Uint8Array;
  const words = new DataView(seen.buffer, seen.byteOffset);
  return {
    result,
    calls: Number(words.getBigInt64(0, true)),
    sum: Number(words.getBigInt64(8, true)),
    consumer: Number(ring.consumer),
    wakeups: ring.wakeups,
    ring,
    drainAgain: once,
  };
}

export const BUSY = 0x80000000;
export const DISCARD = 0x40000000;

/** Appends records with the given length words; positions advance by `length + 8` rounded up, or as told. */
export function append(ring: UserRingBufferMap, length: number, first = 0): void {
  const at = ring.producer;
  ring.setHeader(at, length);
  const size = length & 0x3fffffff;
  if (size >= 4) ring.write(at + 8n, new Uint8Array(Uint32Array.of(first).buffer));
  ring.producer = at + BigInt(Math.ceil((size + 8) / 8) * 8);
}
