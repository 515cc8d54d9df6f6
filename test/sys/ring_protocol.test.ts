import { expect, it } from 'vitest';
import { assemble } from '../../src/asm/assemble.ts';
import { emptyContext } from '../../src/kernel/plain_context.ts';
import type { UserRingBufferMap } from '../../src/maps/user_ring_buffer.ts';
import { type ReservedSample, UserRingProducer } from '../../src/sys/user_ring_buffer.ts';
import { bench } from './iterate.ts';

/** Operations of messages: `{ u32 op; u32; s64 operand }`. */
const OPS = { INC64: 0, INC32: 1, MUL64: 2, MUL32: 3 } as const;
const MESSAGE_BYTES = 16;
/** Messages that the kernel sends each time. */
const REPLIES = 8;

/** Applies what user space sends to a number, and sends eight messages of its own, which it applies to another. */
const SERVER = `
  .license "GPL"
  .map requests user_ringbuf max_entries=4096
  .map replies ringbuf max_entries=4096
  .data "long kernel_mutated" = 1
  .data "int sent"
  .section "raw_tp/sys_enter"
  .program "int serve(void *ctx)"
  r1 = requests ll; r2 = receive ll; r3 = 0; r4 = 0; call bpf_user_ringbuf_drain
  r6 = r0
  r1 = ${REPLIES}; r2 = send ll; r3 = 0; r4 = 0; call bpf_loop
  r0 = r6
  exit
  .func "static long receive(struct bpf_dynptr *message, void *ctx)"
  r3 = r1; r1 = r10; r1 += -16; w2 = ${MESSAGE_BYTES}; r4 = 0; r5 = 0
  *(u64 *)(r10 - 16) = r4; *(u64 *)(r10 - 8) = r4
  call bpf_dynptr_read
  r1 = kernel_mutated ll
  r2 = *(u64 *)(r1 + 0)
  r3 = *(u32 *)(r10 - 16)
  r4 = *(u64 *)(r10 - 8)
  r5 = *(s32 *)(r10 - 8)
  if r3 == ${OPS.INC64} goto inc64
  if r3 == ${OPS.INC32} goto inc32
  if r3 == ${OPS.MUL64} goto mul64
  r2 *= r5; goto store
  inc64: r2 += r4; goto store
  inc32: r2 += r5; goto store
  mul64: r2 *= r4
  store: *(u64 *)(r1 + 0) = r2
  r0 = 0
  exit
  .func "static long send(u64 index, void *ctx)"
  r1 &= 3
  *(u64 *)(r10 - 16) = r1
  r1 = sent ll; r2 = *(u32 *)(r1 + 0); r2 += 1; *(u32 *)(r1 + 0) = r2
  *(u64 *)(r10 - 8) = r2
  r1 = replies ll; r2 = r10; r2 += -16; r3 = ${MESSAGE_BYTES}; r4 = 0
  call bpf_ringbuf_output
  r0 = 0
  exit`;

function apply(value: bigint, op: number, operand: bigint): bigint {
  const narrow = BigInt.asIntN(32, operand);
  if (op === OPS.INC64) return BigInt.asIntN(64, value + operand);
  if (op === OPS.INC32) return BigInt.asIntN(64, value + narrow);
  return BigInt.asIntN(64, value * (op === OPS.MUL64 ? operand : narrow));
}

it('A.9 protocol: messages go through the ring of user space, replies through that of the kernel', () => {
  const { system, process } = bench();
  const program = assemble(SERVER, 'server.bpf.s', { profile: system.profile }).programs[0]!;
  const loaded = system.load(program);
  if ('refused' in loaded) throw new Error(loaded.refused.message ?? 'refused');
  const map = (name: string) => system.map(program.maps.find((def) => def.name === name || def.name.endsWith(name))!);
  const ring = map('requests') as UserRingBufferMap;
  const producer = UserRingProducer.open(process, process.openMap(ring)) as UserRingProducer;
  const operands = [
    [OPS.INC64, 2n ** 40n] as const,
    [OPS.MUL32, -3n] as const,
    [OPS.INC32, -7n] as const,
    [OPS.MUL64, 5n] as const,
  ];
  let expected = 1n;
  let userMutated = 0n;
  for (let round = 0; round < 3; round++) {
    for (const [op, operand] of operands) {
      const sample = producer.reserve(MESSAGE_BYTES) as ReservedSample;
      const bytes = new DataView(new ArrayBuffer(MESSAGE_BYTES));
      bytes.setUint32(0, op, true);
      bytes.setBigInt64(8, operand, true);
      ring.write(sample.record + 8n, new Uint8Array(bytes.buffer));
      producer.submit(sample);
      expected = apply(expected, op, operand);
    }
    const before = system.report.outcomes.length;
    expect(system.execute(loaded.program, emptyContext)).toBe(4n);
    const replies = system.report.outcomes
      .slice(before)
      .flatMap((outcome) => (outcome.kind === 'ringbuf-output' ? [outcome] : []));
    expect(replies).toHaveLength(REPLIES);
    for (const { data } of replies) {
      const view = new DataView(data.buffer, data.byteOffset, data.length);
      userMutated = apply(userMutated, view.getUint32(0, true), view.getBigInt64(8, true));
    }
  }
  const kernel = map('.data').userLookup(new Uint8Array(4)) as Uint8Array;
  expect(new DataView(kernel.buffer, kernel.byteOffset).getBigInt64(0, true)).toBe(expected);
  let told = 0n;
  for (let i = 0; i < 3 * REPLIES; i++) told = apply(told, i & 3, BigInt(i + 1));
  expect(userMutated).toBe(told);
});
