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
  ['I.1 #1: an empty ring', {}, [0, 0, 0]],
  ['I.1 #2: a length that is no multiple of 8', { fill: (ring) => append(ring, 12) }, [1, 24, 1], [EINVAL, 0, 0]],
  [
    'I.1 #3: a discarded record, then a good one',
    {
      fill: (ring) => {
        append(ring, DISCARD | 8);
        append(ring, 8);
      },
    },
    [1, 32, 1],
  ],
  [
    'I.1 #4: discarded records alone',
    {
      fill: (ring) => {
        for (let i = 0; i < 3; i++) append(ring, DISCARD | 8);
      },
    },
    [0, 48, 1],
    [0, 48, 0],
  ],
  ['I.1 #5: a record that is not finished', { fill: (ring) => append(ring, BUSY | 8) }, [0, 0, 0]],
  ['I.1 #6: a record that is busy and discarded', { fill: (ring) => append(ring, BUSY | DISCARD | 8) }, [0, 16, 1], [0, 16, 0]],
  [
    'I.1 #7, A.9 larger_than_ringbuf: a sample larger than the ring',
    { fill: (ring) => append(ring, 4096) },
    [E2BIG, 0, 0],
    [EINVAL, 0, 0],
  ],
  [
    'I.1 #8: a producer position that is no multiple of 8',
    {
      fill: (ring) => {
        append(ring, 8);
        ring.producer = 12n;
      },
    },
    [EINVAL, 0, 0],
  ],
  [
    'I.1 #9: a length beyond the producer position',
    {
      fill: (ring) => {
        append(ring, 16);
        ring.producer = 16n;
      },
    },
    [EINVAL, 0, 0],
  ],
  [
    'I.1 #10: three good records, then a bad one',
    {
      fill: (ring) => {
        for (let i = 0; i < 3; i++) append(ring, 8);
        append(ring, 16);
        ring.producer -= 8n;
      },
    },
    [EINVAL, 48, 1],
  ],
  ['I.1 #11: a forced wake-up of an empty ring', { flags: FORCE }, [0, 0, 1], [EINVAL, 0, 0]],
  ['I.1 #12: no wake-up wanted', { flags: 1, fill: (ring) => append(ring, 8) }, [1, 16, 0]],
  ['I.1 #13: no wake-up wanted, but forced', { flags: 3, fill: (ring) => append(ring, 8) }, [1, 16, 1], [EINVAL, 0, 0]],
  [
    'I.1 #14: a callback that stops at the second of five',
    {
      stopAt: 2,
      fill: (ring) => {
        for (let i = 0; i < 5; i++) append(ring, 8);
      },
    },
    [2, 32, 1],
  ],
  [
    'I.1 #15: a ring that somebody else drains',
    {
      fill: (ring) => {
        append(ring, 8);
        ring.isBusy = true;
      },
    },
    [EBUSY, 0, 0],
  ],
  [
    'I.1 #15: a ring that somebody else drains, with a forced wake-up',
    {
      flags: FORCE,
      fill: (ring) => {
        ring.isBusy = true;
      },
    },
    [EBUSY, 0, 0],
    [EINVAL, 0, 0],
  ],
  ['I.1 #16: unknown flags', { flags: 4 }, [EINVAL, 0, 0]],
  [
    'I.1 #17: more discarded records than a drain may take',
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
    'I.1 #18: more records than a drain may take',
    {
      size: 4 << 20,
      fill: (ring) => {
        for (let i = 0; i <= MAX_SAMPLES; i++) append(ring, 8);
      },
    },
    [MAX_SAMPLES, MAX_SAMPLES * 16, 1],
  ],
  [
    'I.1 #19: a sample that no dynptr can hold',
    {
      size: 32 << 20,
      fill: (ring) => append(ring, 0x1000000),
    },
    [E2BIG, 0, 0],
  ],
  [
    'A.9 post_misaligned: a length and a position that are both off',
    {
      fill: (ring) => {
        append(ring, 39);
        ring.producer = 47n;
      },
    },
    [EINVAL, 0, 0],
  ],
  [
    'A.9 wrong_offset: a position that leaves no room for the header',
    {
      fill: (ring) => {
        append(ring, 32);
        ring.producer = 32n;
      },
    },
    [EINVAL, 0, 0],
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

  it('I.1 #21: a sample at the end of the ring reads from its start', () => {
    const { result, sum, consumer } = drain({
      revision,
      fill: (ring) => {
        ring.consumer = ring.producer = 4088n;
        append(ring, 8, 1234);
      },
    });
    expect([result, sum, consumer]).toEqual([1, 1234, 4104]);
  });

  it('I.1 #20: a full ring makes room: the ring can be polled for', () => {
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

describe('I.1 #20: a ring that was full to the last byte', () => {
  const fill: DrainSetup['fill'] = (ring) => {
    for (let i = 0; i < 4; i++) append(ring, 1016);
  };
  const wakeups = (setup: Omit<DrainSetup, 'fill'>): number => drain({ ...setup, fill }).wakeups;

  it('wakes at its first sample too, in version 3', () => {
    expect([wakeups({ revision: 'v3' }), wakeups({ revision: '6.1' })]).toEqual([2, 1]);
  });

  it('wakes once where interrupts are off: queued work is not queued again', () => {
    expect([wakeups({ revision: 'v3', interrupts: 'off' }), wakeups({ revision: '6.1', interrupts: 'off' })]).toEqual([1, 1]);
  });

  it('lets others take the ring between two samples, in version 3: their turn replaces the count', () => {
    const setup = (revision: DrainRevision): DrainSetup => ({
      revision,
      fill: (ring) => {
        fill?.(ring);
        ring.waiters.add(() => {
          ring.isBusy = true;
        });
      },
    });
    const [old, merged] = [drain(setup('v3')), drain(setup('6.1'))];
    expect([old.result, old.consumer, old.calls]).toEqual([EBUSY, 1024, 1]);
    expect([merged.result, merged.consumer, merged.calls]).toEqual([4, 4096, 4]);
  });

  it('does not wake when no wake-up is wanted', () => {
    expect(wakeups({ revision: 'v3', flags: 1 })).toBe(0);
  });
});
