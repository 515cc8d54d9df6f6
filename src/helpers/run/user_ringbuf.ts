import { Bug, ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { DYNPTR_BYTES, dynptrFits, initDynptr } from '../../kernel/dynptr.ts';
import { irqWork } from '../../kernel/interrupts.ts';
import { RING_BUSY, RING_DISCARD, RING_HEADER_BYTES, UserRingBufferMap } from '../../maps/user_ring_buffer.ts';

/**
 * bpf_user_ringbuf_drain as merged in Linux 6.1 and, beside it, as proposed in the third version of its series (August 2022).
 * Source of the first: kernel/bpf/ringbuf.c.
 */

const MAX_SAMPLES = 128 * 1024;
const NO_WAKEUP = 1n;
const FORCE_WAKEUP = 2n;
const HEADER = BigInt(RING_HEADER_BYTES);

const recordBytes = (length: number): number => Math.ceil((length + RING_HEADER_BYTES) / 8) * 8;

/** A sample that can be handed out, or a negative errno. */
type Peeked = { readonly record: bigint; readonly length: number } | number;

function ringOf(call: HostCall): UserRingBufferMap {
  const map = call.map(0);
  if (map instanceof UserRingBufferMap) return map;
  throw new Bug(`map ${map.name} is no ring buffer of user space`);
}

const wake = (call: HostCall, ring: UserRingBufferMap): void => ring.queueWakeup((action) => irqWork(call, action));

/** Calls the function with a dynptr over the sample; the low half of its result. */
function deliver(call: HostCall, ring: UserRingBufferMap, dynptr: number, record: bigint, length: number): number {
  const sample = ring.openSample(record, length);
  initDynptr(call.memory, dynptr, 'local', sample, length);
  call.setCallbackPointer(0, dynptr);
  call.setCallbackArg(1, call.argLo(2), call.argHi(2));
  const result = call.invoke(1);
  ring.closeSample(sample, length);
  return result;
}

function withDynptr(call: HostCall, action: (dynptr: number) => number): void {
  const dynptr = call.memory.allocate(DYNPTR_BYTES, { what: 'dynptr of a sample', readOnly: true });
  if (dynptr === 0) return call.setReturnNumber(-ERRNO.ENOMEM);
  call.setReturnNumber(action(dynptr));
  call.memory.free(dynptr);
}

/** __bpf_user_ringbuf_peek: the discard bit is looked at before the busy bit. */
function peek(ring: UserRingBufferMap): Peeked {
  const { producer, consumer } = ring;
  if (producer % 8n !== 0n) return -ERRNO.EINVAL;
  if (consumer >= producer) return -ERRNO.ENODATA;
  const word = ring.header(consumer);
  const length = word & (RING_DISCARD - 1);
  const total = recordBytes(length);
  if (BigInt(total) > producer - consumer) return -ERRNO.EINVAL;
  if (total > ring.size || !dynptrFits(length)) return -ERRNO.E2BIG;
  if ((word & RING_DISCARD) !== 0) {
    ring.consumer = consumer + BigInt(total);
    return -ERRNO.EAGAIN;
  }
  return word >= RING_BUSY ? -ERRNO.ENODATA : { record: consumer, length };
}

/** map, callback_fn, ctx, flags */
export function userRingbufDrain(call: HostCall): void {
  const flags = call.arg(3);
  const ring = ringOf(call);
  if ((flags & ~(NO_WAKEUP | FORCE_WAKEUP)) !== 0n) return call.setReturnNumber(-ERRNO.EINVAL);
  if (ring.isBusy) return call.setReturnNumber(-ERRNO.EBUSY);
  ring.isBusy = true;
  withDynptr(call, (dynptr) => {
    let samples = 0;
    let discarded = 0;
    let error = 0;
    for (let stop = 0; samples < MAX_SAMPLES && stop === 0; samples++) {
      const found = peek(ring);
      if (found === -ERRNO.ENODATA) break;
      if (found === -ERRNO.EAGAIN) {
        discarded++;
      } else if (typeof found === 'number') {
        error = found;
        break;
      } else {
        stop = deliver(call, ring, dynptr, found.record, found.length);
        ring.consumer += BigInt(recordBytes(found.length));
      }
    }
    ring.isBusy = false;
    if ((flags & FORCE_WAKEUP) !== 0n || ((flags & NO_WAKEUP) === 0n && samples > 0)) wake(call, ring);
    return error !== 0 ? error : samples - discarded;
  });
}

/**
 * The peek of version 3: it takes the busy word (and keeps it with a sample), wants lengths in multiples of 8, calls a sample
 * that is larger than the ring invalid, and steps over discarded records by itself, however many there are.
 */
function peekVersion3(ring: UserRingBufferMap): Peeked {
  if (ring.isBusy) return -ERRNO.EBUSY;
  for (;;) {
    const { producer, consumer } = ring;
    if (producer % 8n !== 0n) return -ERRNO.EINVAL;
    if (consumer >= producer) return -ERRNO.ENODATA;
    const word = ring.header(consumer);
    const length = word & (RING_DISCARD - 1);
    if (length % 8 !== 0) return -ERRNO.EINVAL;
    const total = length + RING_HEADER_BYTES;
    if (BigInt(total) > producer - consumer || total > ring.size) return -ERRNO.EINVAL;
    if (!dynptrFits(length)) return -ERRNO.E2BIG;
    if ((word & RING_DISCARD) === 0) {
      if (word >= RING_BUSY) return -ERRNO.ENODATA;
      ring.isBusy = true;
      return { record: consumer, length };
    }
    ring.consumer = consumer + BigInt(total);
  }
}

/** map, callback_fn, ctx, flags: only BPF_RB_NO_WAKEUP; wakes in between when the ring was full to the last byte. */
export function userRingbufDrainVersion3(call: HostCall): void {
  const flags = call.arg(3);
  const ring = ringOf(call);
  if ((flags & ~NO_WAKEUP) !== 0n) return call.setReturnNumber(-ERRNO.EINVAL);
  const mayWake = (flags & NO_WAKEUP) === 0n;
  withDynptr(call, (dynptr) => {
    let samples = 0;
    let error = 0;
    let stop = 0;
    do {
      const found = peekVersion3(ring);
      if (found === -ERRNO.ENODATA) break;
      if (typeof found === 'number') {
        error = found;
        break;
      }
      stop = deliver(call, ring, dynptr, found.record, found.length);
      const { producer, consumer } = ring;
      ring.consumer = consumer + BigInt(found.length) + HEADER;
      ring.isBusy = false;
      if (mayWake && producer - consumer === BigInt(ring.size)) wake(call, ring);
      samples++;
    } while (samples < MAX_SAMPLES && stop === 0);
    if (mayWake && samples > 0) wake(call, ring);
    return error !== 0 ? error : samples;
  });
}
