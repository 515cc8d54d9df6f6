import { describe, expect, it } from 'vitest';
import { EPOLL } from '../kernel/epoll_bits.ts';
import { append, BUSY, DISCARD, type DrainRevision, type DrainSetup, drain, REVISIONS } from './user_ringbuf_program.ts';

const [EBUSY, EINVAL, E2BIG] = [-16, -22, -7];
const MAX_SAMPLES = 128 * 1024;
const FORCE = 2;

type Row = readonly [
  rule: string,
  setup: Omit<DrainSetup, 'revision'>,
  merged: readonly [result: number, consumer: number, wakeups: number],
  version3?: readonly [result: number, consumer: number, wakeups: number],
];

const ROWS: readonly Row[] = [
  ['an empty ring', {}, [0, 0, 0]],
  ['a length that is no multiple of 8', { fill: (ring) => append(ring, 12) }, [1, 24, 1], [EINVAL, 0, 0]],
  [
    'a discarded record, then a good one',
    {
      fill: (ring) => {
        append(ring, DISCARD | 8);
        append(ring, 8);
      },
    },
    [1, 32, 1],
  ],
  [
    'discarded records alone',
    {
      fill: (ring) => {
        for (let i = 0; i < 3; i++) append(ring, DISCARD | 8);
      },
    },
    [0, 48, 1],
    [0, 48, 0],
  ],
  ['a record that is not finished', { fill: (ring) => append(ring, BUSY | 8) }, [0, 0, 0]],
  ['a record that is busy and discarded', { fill: (ring) => append(ring, BUSY | DISCARD | 8) }, [0, 16, 1], [0, 16, 0]],
  ['a sample larger than the ring', { fill: (ring) => append(ring, 4096) }, [E2BIG, 0, 0], [EINVAL, 0, 0]],
  [
    'a producer position that is no multiple of 8',
    {
      fill: (ring) => {
        append(ring, 8);
        ring.producer = 12n;
      },
    },
    [EINVAL, 0, 0],
  ],
  [
    'a length beyond the producer position',
    {
      fill: (ring) => {
        append(ring, 16);
        ring.producer = 16n;
      },
    },
    [EINVAL, 0, 0],
  ],
  [
    'three good records, then a bad one',
    {
      fill: (ring) => {
        for (let i = 0; i < 3; i++) append(ring, 8);
        append(ring, 16);
        ring.producer -= 8n;
      },
    },
    [EINVAL, 48, 1],
  ],
  ['a forced wake-up of an empty ring', { flags: FORCE }, [0, 0, 1], [EINVAL, 0, 0]],
  ['no wake-up wanted', { flags: 1, fill: (ring) => append(ring, 8) }, [1, 16, 0]],
  ['no wake-up wanted, but forced', { flags: 3, fill: (ring) => append(ring, 8) }, [1, 16, 1], [EINVAL, 0, 0]],
  [
    'a callback that stops at the second of five',
    {
      stopAt: 2,
      fill: (ring) => {
        for (let i = 0; i < 5; i++) append(ring, 8);
      },
    },
    [2, 32, 1],
  ],
  [
    'a ring that somebody else drains',
    {
      fill: (ring) => {
        append(ring, 8);
        ring.isBusy = true;
      },
    },
    [EBUSY, 0, 0],
  ],
  [
    'a ring that somebody else drains, with a forced wake-up',
    {
      flags: FORCE,
      fill: (ring) => {
        ring.isBusy = true;
      },
    },
    [EBUSY, 0, 0],
    [EINVAL, 0, 0],
  ],
  ['unknown flags', { flags: 4 }, [EINVAL, 0, 0]],
  [
    'more discarded records than a drain may take',
    {
      size: 4 << 20,
      fill: (ring) => {
        for (let i = 0; i <= MAX_SAMPLES; i++) append(ring, DISCARD | 8);
      },
    },
    [0, MAX_SAMPLES * 16, 1],
    [0, (MAX_SAMPLES + 1) * 16, 0],
  ],
  [
    'more records than a drain may take',
    {
      size: 4 << 20,
      fill: (ring) => {
        for (let i = 0; i <= MAX_SAMPLES; i++) append(ring, 8);
      },
    },
    [MAX_SAMPLES, MAX_SAMPLES * 16, 1],
  ],
  [
    'a sample that no dynptr can hold',
    {
      size: 32 << 20,
      fill: (ring) => append(ring, 0x1000000),
    },
    [E2BIG, 0, 0],
  ],
  ['a ring whose consumer is ahead', { fill: (ring) => void (ring.consumer = 64n) }, [0, 64, 0]],
];

describe.each(REVISIONS)('drain %s of', (revision: DrainRevision) => {
  it.each(ROWS.map(([rule, setup, merged, version3]) => ({ rule, setup, expected: { '6.1': merged, v3: version3 ?? merged } })))(
    '$rule',
    ({ setup, expected }) => {
      const { result, consumer, wakeups } = drain({ revision, ...setup });
      expect([result, consumer, wakeups]).toEqual(expected[revision]);
    },
    120_000,
  );

  it('a sample at the end of the ring reads from its start', () => {
    const { result, sum, consumer } = drain({
      revision,
      fill: (ring) => {
        ring.consumer = ring.producer = 4088n;
        append(ring, 8, 1234);
      },
    });
    expect([result, sum, consumer]).toEqual([1, 1234, 4104]);
  });

  it('a full ring makes room: the ring can be polled for', () => {
    const full = drain({
      revision,
      flags: 1,
      fill: (ring) => {
        for (let i = 0; i < 4; i++) append(ring, 1016);
        expect(ring.poll()).toBe(0);
      },
      stopAt: 1,
    });
    expect(full.ring.poll()).toBe(EPOLL.OUT | EPOLL.WRNORM);
    expect([full.result, full.wakeups, full.drainAgain()]).toEqual([1, 0, 3]);
  });
});

it.each(REVISIONS)('a callback that drains the ring it is called for is told that it is busy, in %s', (revision) => {
  const { result, sum } = drain({ revision, nested: true, fill: (ring) => append(ring, 8) });
  expect([result, sum]).toEqual([1, EBUSY]);
});

it('wakes in between when the ring was full to the last byte, in version 3', () => {
  const fill: DrainSetup['fill'] = (ring) => {
    for (let i = 0; i < 4; i++) append(ring, 1016);
  };
  // the work is queued while it is queued: one wake-up either way; a waiter sees it
  expect([drain({ revision: 'v3', fill }).wakeups, drain({ revision: '6.1', fill }).wakeups]).toEqual([1, 1]);
});
