import { RING_BUSY, RING_DISCARD, RING_HEADER_BYTES, type UserRingBufferMap } from '../maps/user_ring_buffer.ts';
import type { UserRingSpec } from './schema.ts';

type SampleSpec = UserRingSpec['samples'][number];

function bytesOf(spec: SampleSpec): Uint8Array {
  const given = givenBytes(spec);
  if (spec.size === undefined || spec.size <= given.length) return given;
  const bytes = new Uint8Array(spec.size);
  bytes.set(given);
  return bytes;
}

function givenBytes({ text, hex = '' }: SampleSpec): Uint8Array {
  if (text !== undefined) return new TextEncoder().encode(text);
  const digits = hex.replace(/\s+/g, '');
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

/** Puts samples into a ring as a producer leaves them, or as one that lies does. The index of a sample without room, or null. */
export function publish(ring: UserRingBufferMap, spec: UserRingSpec): number | null {
  const start = BigInt(spec.consumer ?? 0);
  ring.consumer = start;
  let position = start;
  for (const [index, sample] of spec.samples.entries()) {
    const bytes = bytesOf(sample);
    const total = BigInt(Math.ceil((bytes.length + RING_HEADER_BYTES) / 8) * 8);
    const length = ((sample.length ?? bytes.length) | (sample.discard ? RING_DISCARD : 0) | (sample.busy ? RING_BUSY : 0)) >>> 0;
    for (let turn = 0; turn < sample.repeat; turn++) {
      if (position + total - start > BigInt(ring.size)) return index;
      ring.setHeader(position, length);
      ring.write(position + BigInt(RING_HEADER_BYTES), bytes);
      position += total;
    }
  }
  ring.producer = spec.producer === undefined ? position : BigInt(spec.producer);
  ring.isBusy = spec.busy;
  return null;
}
