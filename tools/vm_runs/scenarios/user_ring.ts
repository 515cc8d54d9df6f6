import { EPOLL_EDGE, EPOLL_OUT, load, RING_BUSY, RING_DISCARD, type Scenario, type Step, u64s } from '../steps.ts';

/**
 * The ring buffer of user space as merged: what a drain answers, how far it gets, and whom it wakes. A program drains with the
 * flags in `config`; its callback counts samples in `out`, keeps the size and the first bytes of the last one, and stops at the
 * one that `config` names. A waker shows: the epoll instance reports edges, and has told of the room at the beginning.
 */
const consumer = (size: number): string => `
  .license "GPL"
  .map samples user_ringbuf max_entries=${size}
  .map config array key_size=4 value_size=16 max_entries=1
  .map out array key_size=4 value_size=32 max_entries=1
  .section "raw_tp/sys_enter"
  .program "int drain(void *ctx)"
    w1 = 0; *(u32 *)(r10 - 4) = w1
    r1 = config ll; r2 = r10; r2 += -4; call bpf_map_lookup_elem
    if r0 == 0 goto out
    r4 = *(u64 *)(r0 + 0)
    r1 = samples ll; r2 = take ll; r3 = 0; call bpf_user_ringbuf_drain
    out: exit
  .func "static long take(struct bpf_dynptr *sample, void *ctx)"
    r6 = r1
    w1 = 0; *(u32 *)(r10 - 4) = w1
    r1 = config ll; r2 = r10; r2 += -4; call bpf_map_lookup_elem
    if r0 == 0 goto go_on
    r7 = *(u64 *)(r0 + 8)
    r1 = out ll; r2 = r10; r2 += -4; call bpf_map_lookup_elem
    if r0 == 0 goto go_on
    r8 = r0
    r1 = *(u64 *)(r8 + 0); r1 += 1; *(u64 *)(r8 + 0) = r1
    r9 = r1
    r1 = r6; call bpf_dynptr_size
    *(u64 *)(r8 + 8) = r0
    r1 = r8; r1 += 16; w2 = 8; r3 = r6; r4 = 0; r5 = 0; call bpf_dynptr_read
    *(u64 *)(r8 + 24) = r0
    if r9 == r7 goto stop
    go_on: r0 = 0
    exit
    stop: r0 = 1
    exit`;

const NO_WAKEUP = 1;
const FORCE_WAKEUP = 2;
const KEY = '00000000';
/** Long enough for work that was queued, short enough to wait for nothing. */
const A_MOMENT = 100;

const configure = (flags: number, stopAt = 0): Step => ({ do: 'update', map: 'config', key: KEY, value: u64s(flags, stopAt) });

const begin = (size: number, flags: number, stopAt = 0): Step[] => [
  ...load('drain'),
  configure(flags, stopAt),
  { do: 'ring', map: 'samples', size },
];

/** The drain, and everything that it changes. */
const watchDrain = (): Step[] => [
  { do: 'watch', map: 'samples', events: EPOLL_OUT + EPOLL_EDGE },
  { do: 'wait', map: 'samples', timeout: 0 },
  { do: 'run', prog: 'drain' },
  { do: 'positions', map: 'samples' },
  { do: 'lookup', map: 'out', key: KEY, size: 32 },
  { do: 'wait', map: 'samples', timeout: A_MOMENT },
];

type Record = readonly [at: number, length: number, payload?: string];

function vector(name: string, records: readonly Record[], producer: number, flags = 0, stopAt = 0): Scenario {
  return {
    name,
    text: consumer(4096),
    steps: [
      ...begin(4096, flags, stopAt),
      ...records.map(
        ([at, length, payload]): Step => ({
          do: 'record',
          map: 'samples',
          at,
          length,
          ...(payload === undefined ? {} : { payload }),
        }),
      ),
      { do: 'producer', map: 'samples', position: producer },
      ...watchDrain(),
    ],
  };
}

const many = (name: string, size: number, count: number, length: number): Scenario => ({
  name,
  text: consumer(size),
  steps: [...begin(size, 0), { do: 'fill', map: 'samples', count, length }, ...watchDrain()],
});

const TEXT = '6162636465666768696a6b6c';
const MIB = 1 << 20;
const MOST_SAMPLES = 131072;
const EIGHTS: readonly Record[] = [0, 16, 32, 48, 64].map((at) => [at, 8, u64s(at)]);

const vectors: readonly Scenario[] = [
  vector('empty', [], 0),
  vector('a length that is no multiple of 8', [[0, 12, TEXT]], 24),
  vector(
    'a discarded record and one that is not',
    [
      [0, RING_DISCARD + 8],
      [16, 8, TEXT],
    ],
    32,
  ),
  vector(
    'nothing but discarded records',
    [
      [0, RING_DISCARD + 8],
      [16, RING_DISCARD + 8],
      [32, RING_DISCARD + 8],
    ],
    48,
  ),
  vector('a record that is busy', [[0, RING_BUSY + 8]], 16),
  vector('a record that is busy and discarded', [[0, RING_BUSY + RING_DISCARD + 8]], 16),
  vector('a busy record behind good ones', [...EIGHTS.slice(0, 2), [32, RING_BUSY + 8]], 48),
  vector('a record as long as the ring', [[0, 4096]], 4104),
  vector('a record that fills the ring', [[0, 4088, TEXT]], 4096),
  vector('a busy record as long as the ring', [[0, RING_BUSY + 4096]], 4104),
  vector('a producer position that is odd', [[0, 8]], 12),
  vector('a record that ends behind the producer', [[0, 16]], 16),
  vector('a header that is misaligned', [[0, 39]], 47),
  vector('a header that is wrong', [[0, 32]], 32),
  vector('good records in front of a bad header', [...EIGHTS.slice(0, 3), [48, 64]], 64),
  vector('positions further apart than the ring is large', [], 4096 * 16),
  vector('empty, and a wake-up by force', [], 0, FORCE_WAKEUP),
  vector('one record without a wake-up', [[0, 8, TEXT]], 16, NO_WAKEUP),
  vector('one record with both flags', [[0, 8, TEXT]], 16, NO_WAKEUP + FORCE_WAKEUP),
  vector('a busy record and a wake-up by force', [[0, RING_BUSY + 8]], 16, FORCE_WAKEUP),
  vector('a callback that stops', EIGHTS, 80, 0, 2),
  vector('a flag that there is not', [[0, 8, TEXT]], 16, 4),
  vector('a sample without bytes', [[0, 0]], 8),
  many('more discarded records than a drain may take', 4 * MIB, MOST_SAMPLES + 1, RING_DISCARD + 8),
  many('more records than a drain may take', 4 * MIB, MOST_SAMPLES + 1, 8),
  many('a sample that no dynptr can show', 32 * MIB, 1, 0x100_0000),
  many('the largest sample that a dynptr can show', 32 * MIB, 1, 0xff_fff8),
];

/** A full ring: not writable before the drain, writable after it. */
const full: Scenario = {
  name: 'a ring that is full',
  text: consumer(4096),
  steps: [
    ...begin(4096, 0, 1),
    { do: 'fill', map: 'samples', count: 256, length: 8 },
    ...watchDrain(),
    { do: 'run', prog: 'drain' },
    { do: 'positions', map: 'samples' },
  ],
};

const overTheEnd: Scenario = {
  name: 'a payload behind the end of the ring',
  text: consumer(4096),
  steps: [
    ...begin(4096, 0),
    { do: 'record', map: 'samples', at: 0, length: RING_DISCARD + 4080 },
    { do: 'producer', map: 'samples', position: 4088 },
    { do: 'run', prog: 'drain' },
    { do: 'record', map: 'samples', at: 4088, length: 12, payload: TEXT },
    { do: 'producer', map: 'samples', position: 4112 },
    ...watchDrain(),
    { do: 'payload', map: 'samples', at: 4088, size: 12 },
  ],
};

/** A callback that drains the same ring, and writes into its sample. */
const nested: Scenario = {
  name: 'a drain inside a drain, and a sample that is written',
  text: `
  .license "GPL"
  .map samples user_ringbuf max_entries=4096
  .map out array key_size=4 value_size=16 max_entries=1
  .section "raw_tp/sys_enter"
  .program "int drain(void *ctx)"
    r1 = samples ll; r2 = take ll; r3 = 0; r4 = 2; call bpf_user_ringbuf_drain
    exit
  .func "static long take(struct bpf_dynptr *sample, void *ctx)"
    r6 = r1
    r1 = 0x1122334455667788 ll; *(u64 *)(r10 - 16) = r1
    r1 = r6; r2 = 4; r3 = r10; r3 += -16; w4 = 8; r5 = 0; call bpf_dynptr_write
    r7 = r0
    r1 = samples ll; r2 = inner ll; r3 = 0; r4 = 0; call bpf_user_ringbuf_drain
    r8 = r0
    w1 = 0; *(u32 *)(r10 - 4) = w1
    r1 = out ll; r2 = r10; r2 += -4; call bpf_map_lookup_elem
    if r0 == 0 goto end
    *(u64 *)(r0 + 0) = r7
    *(u64 *)(r0 + 8) = r8
    end: r0 = 0
    exit
  .func "static long inner(struct bpf_dynptr *sample, void *ctx)"
    r0 = 0
    exit`,
  steps: [
    ...load('drain'),
    { do: 'ring', map: 'samples', size: 4096 },
    { do: 'record', map: 'samples', at: 0, length: 16, payload: '00'.repeat(16) },
    { do: 'record', map: 'samples', at: 24, length: 8, payload: '00'.repeat(8) },
    { do: 'producer', map: 'samples', position: 40 },
    { do: 'run', prog: 'drain' },
    { do: 'positions', map: 'samples' },
    { do: 'lookup', map: 'out', key: KEY, size: 16 },
    { do: 'payload', map: 'samples', at: 0, size: 16 },
    { do: 'payload', map: 'samples', at: 24, size: 8 },
  ],
};

const [READ, WRITE, EXEC] = [1, 3, 5];

const mappings: Scenario = {
  name: 'mappings of a ring',
  text: consumer(4096),
  steps: [
    ...load('drain'),
    { do: 'mmap', map: 'samples', page: 0, pages: 1, protection: READ },
    { do: 'mprotect', protection: WRITE },
    { do: 'mprotect', protection: EXEC },
    { do: 'mremap', pages: 4 },
    { do: 'mmap', map: 'samples', page: 0, pages: 1, protection: WRITE },
    { do: 'mmap', map: 'samples', page: 1, pages: 1, protection: WRITE },
    { do: 'mprotect', protection: READ },
    { do: 'mprotect', protection: WRITE },
    { do: 'mprotect', protection: EXEC },
    { do: 'mmap', map: 'samples', page: 2, pages: 1, protection: WRITE },
    { do: 'mprotect', protection: EXEC },
    { do: 'mmap', map: 'samples', page: 1, pages: 3, protection: WRITE },
    { do: 'mmap', map: 'samples', page: 0, pages: 4, protection: READ },
    { do: 'mmap', map: 'samples', page: 0, pages: 5, protection: READ },
    { do: 'mmap', map: 'samples', page: 4, pages: 1, protection: READ },
    { do: 'mmap', map: 'samples', page: 1, pages: 1, protection: WRITE, shared: false },
    { do: 'mmap', map: 'config', page: 0, pages: 1, protection: READ },
  ],
};

const sample = (seq: number): string => u64s(seq, seq * 3, 0, 0);

const producer: Scenario = {
  name: 'a producer',
  text: consumer(4096),
  steps: [
    ...begin(4096, 0),
    ...[0, 1].flatMap((seq): Step[] => [
      { do: 'reserve', map: 'samples', size: 32 },
      { do: 'record', map: 'samples', at: 40 * seq, length: RING_BUSY + 32, payload: sample(seq) },
      { do: 'run', prog: 'drain' },
      { do: 'commit', map: 'samples', record: 40 * seq },
    ]),
    { do: 'run', prog: 'drain' },
    { do: 'reserve', map: 'samples', size: 4089 },
    { do: 'reserve', map: 'samples', size: 0x4000_0000 },
    { do: 'reserve', map: 'samples', size: 4088 },
    { do: 'reserve', map: 'samples', size: 8 },
    { do: 'commit', map: 'samples', record: 80 },
    { do: 'run', prog: 'drain' },
    { do: 'reserve', map: 'samples', size: 33 },
    { do: 'positions', map: 'samples' },
    { do: 'commit', map: 'samples', record: 4176, discard: true },
    ...watchDrain(),
  ],
};

/** 102 samples of 32 bytes fill a page; then the producer waits, in vain and until another thread drains. */
const waiting: Scenario = {
  name: 'a producer that waits',
  text: consumer(4096),
  steps: [
    ...begin(4096, 0),
    { do: 'watch', map: 'samples', events: EPOLL_OUT },
    ...Array.from({ length: 102 }, (_, seq): Step[] => [
      { do: 'reserve', map: 'samples', size: 32 },
      { do: 'commit', map: 'samples', record: 40 * seq },
    ]).flat(),
    { do: 'reserve', map: 'samples', size: 32 },
    { do: 'reserve', map: 'samples', size: 8 },
    { do: 'commit', map: 'samples', record: 4080 },
    { do: 'wait', map: 'samples', timeout: 0 },
    { do: 'reserve', map: 'samples', size: 32, timeout: 0 },
    { do: 'reserve', map: 'samples', size: 32, timeout: 200 },
    { do: 'later', prog: 'drain', delay: 200 },
    { do: 'reserve', map: 'samples', size: 32, timeout: 10_000 },
    { do: 'wait', map: 'samples', timeout: 0 },
    { do: 'lookup', map: 'out', key: KEY, size: 8 },
  ],
};

/** Programs answer through a ring of the kernel: eight replies, one of them discarded, and what queries say. */
const replies: Scenario = {
  name: 'replies through a ring of the kernel',
  text: `
  .license "GPL"
  .map samples user_ringbuf max_entries=4096
  .map replies ringbuf max_entries=4096
  .map out array key_size=4 value_size=32 max_entries=1
  .section "raw_tp/sys_enter"
  .program "int drain(void *ctx)"
    r1 = samples ll; r2 = take ll; r3 = 0; r4 = 0; call bpf_user_ringbuf_drain
    r9 = r0
    w1 = 0; *(u32 *)(r10 - 4) = w1
    r1 = out ll; r2 = r10; r2 += -4; call bpf_map_lookup_elem
    if r0 == 0 goto told
    r8 = r0
    r1 = replies ll; r2 = 0; call bpf_ringbuf_query
    *(u64 *)(r8 + 0) = r0
    r1 = replies ll; r2 = 1; call bpf_ringbuf_query
    *(u64 *)(r8 + 8) = r0
    r1 = replies ll; r2 = 3; call bpf_ringbuf_query
    *(u64 *)(r8 + 16) = r0
    r1 = replies ll; r2 = 9; call bpf_ringbuf_query
    *(u64 *)(r8 + 24) = r0
    told: r0 = r9
    exit
  .func "static long take(struct bpf_dynptr *sample, void *ctx)"
    r3 = r1
    r6 = r1
    r1 = r10; r1 += -16; w2 = 16; r4 = 0; r5 = 0; call bpf_dynptr_read
    if r0 != 0 goto end
    r1 = replies ll; w2 = 8; r3 = 0; call bpf_ringbuf_reserve
    if r0 == 0 goto full
    r1 = *(u64 *)(r10 - 16)
    r2 = *(u64 *)(r10 - 8)
    r2 *= 2
    *(u64 *)(r0 + 0) = r2
    if r1 == 0 goto discard
    r1 = r0; r2 = 0; call bpf_ringbuf_submit
    r0 = 0
    exit
    discard: r1 = r0; r2 = 0; call bpf_ringbuf_discard
    end: r0 = 0
    exit
    full: r0 = 1
    exit`,
  steps: [
    ...load('drain'),
    { do: 'ring', map: 'samples', size: 4096 },
    ...Array.from(
      { length: 8 },
      (_, i): Step => ({ do: 'record', map: 'samples', at: 24 * i, length: 16, payload: u64s(i % 4, i) }),
    ),
    { do: 'producer', map: 'samples', position: 192 },
    { do: 'run', prog: 'drain' },
    { do: 'positions', map: 'samples' },
    { do: 'lookup', map: 'out', key: KEY, size: 32 },
  ],
};

export const userRing: readonly Scenario[] = [...vectors, full, overTheEnd, nested, mappings, producer, waiting, replies];
