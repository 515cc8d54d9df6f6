import * as v from 'valibot';

/** What a world file may say. Each description goes into the published JSON schema. */

const described = <Schema extends v.GenericSchema>(schema: Schema, text: string) => v.pipe(schema, v.description(text));

const TWO32 = 2 ** 32;
const USER_END = 2 ** 47;

const count = (most: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(most));
const pid = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4194304));
const address = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(USER_END));
const size = count(TWO32);
const descriptor = count(1048576);
const path = v.pipe(v.string(), v.regex(/^\//, 'a path begins with /'));
const hex = v.pipe(v.string(), v.regex(/^(?:[0-9a-fA-F]{2}\s*)*$/, 'hexadecimal bytes'));
/** A number, or its text where it is too large for one. */
const wide = v.union([
  v.pipe(v.number(), v.safeInteger('a number below 2^53; write it as text')),
  v.pipe(v.string(), v.regex(/^(?:0x[0-9a-fA-F]+|\d+)$/, 'a number')),
]);

export const AREA_LINE =
  /^([0-9a-f]+)-([0-9a-f]+) ([r-][w-][x-][ps])(?: ([0-9a-f]+))?(?: ([0-9a-f]+):([0-9a-f]+) (\d+))?(?:\s+([\s\S]*))?$/;

const Area = v.union([
  v.pipe(v.string(), v.regex(AREA_LINE, 'a line as in /proc/PID/maps')),
  v.strictObject({
    start: address,
    end: address,
    perms: v.optional(v.pipe(v.string(), v.regex(/^[r-][w-][x-][ps]$/, 'permissions such as rw-p')), 'rw-p'),
    offset: described(
      v.optional(count(Number.MAX_SAFE_INTEGER)),
      'bytes; by default 0 of a file, and of other memory what its address gives',
    ),
    path: v.optional(v.string()),
    inode: v.optional(count(Number.MAX_SAFE_INTEGER)),
    device: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]+:[0-9a-f]+$/, 'a device such as 08:01'))),
    locked: described(v.optional(v.boolean(), false), 'somebody else holds the lock of the area'),
  }),
]);

const Memory = v.strictObject({
  address,
  hex: v.optional(hex),
  text: v.optional(v.string()),
  size: described(v.optional(size), 'bytes that are mapped; by default what is given'),
  writable: v.optional(v.boolean(), true),
});

const EventBits = v.picklist(['IN', 'OUT', 'ERR', 'HUP', 'WAKEUP', 'EXCLUSIVE', 'ONESHOT', 'ET']);

const EpollItem = v.strictObject({
  fd: descriptor,
  events: described(v.optional(v.union([v.array(EventBits), count(TWO32)]), ['IN']), 'EPOLL* bits, as words or a number'),
  data: v.optional(wide, 0),
});

const Ring = v.strictObject({
  entries: v.optional(count(TWO32), 8),
  flags: described(
    v.optional(
      v.array(v.picklist(['IOPOLL', 'SQPOLL', 'SQ_AFF', 'CQSIZE', 'CLAMP', 'ATTACH_WQ', 'R_DISABLED', 'SUBMIT_ALL'])),
      [],
    ),
    'IORING_SETUP_*',
  ),
  cq_entries: v.optional(count(TWO32), 0),
  sq_thread_cpu: v.optional(count(TWO32), 0),
  sq_thread_idle: described(v.optional(count(TWO32), 0), 'milliseconds'),
  wq_fd: v.optional(descriptor, 0),
  eventfd: v.optional(descriptor),
  eventfd_async: v.optional(v.boolean(), false),
  files: described(v.optional(v.array(v.pipe(v.number(), v.integer(), v.minValue(-1)))), 'registered files; -1 is an empty slot'),
  buffers: described(
    v.optional(v.array(v.nullable(v.strictObject({ address, length: size })))),
    'registered buffers; null is an empty slot',
  ),
});

const special = { flags: v.optional(count(TWO32)) };

const File = v.union([
  described(
    v.strictObject({
      path,
      inode: v.optional(count(Number.MAX_SAFE_INTEGER)),
      device: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]+:[0-9a-f]+$/, 'a device such as 08:01'))),
      unlinked: v.optional(v.boolean(), false),
      pollable: described(v.optional(v.boolean(), false), 'epoll can watch it'),
      ...special,
    }),
    'a file with a name',
  ),
  described(v.strictObject({ tty: path, ...special }), 'a terminal'),
  described(v.strictObject({ device: path, ...special }), 'a character device'),
  described(v.strictObject({ pipe: count(Number.MAX_SAFE_INTEGER), ...special }), 'an end of the pipe with this inode number'),
  described(v.strictObject({ socket: count(Number.MAX_SAFE_INTEGER), ...special }), 'a socket with this inode number'),
  described(v.strictObject({ eventfd: wide }), 'an eventfd with its count'),
  described(v.strictObject({ epoll: v.array(EpollItem) }), 'an epoll instance with its items'),
  described(v.strictObject({ io_uring: Ring }), 'an io_uring instance'),
  described(v.strictObject({ pidfd: pid }), 'a process'),
  described(v.strictObject({ cgroup: path }), 'a directory of the cgroup file system'),
  described(
    v.strictObject({
      anonymous: v.string(),
      pollable: described(v.optional(v.boolean(), false), 'epoll can watch it'),
      ...special,
    }),
    'a file of an anonymous inode of another kind',
  ),
  described(
    v.strictObject({ dup: v.union([descriptor, v.pipe(v.string(), v.regex(/^\d+\/\d+$/, 'PID/DESCRIPTOR'))]) }),
    'the same open file as another descriptor, of this process or of PID/DESCRIPTOR',
  ),
]);

const Files = v.record(v.pipe(v.string(), v.regex(/^\d+$/, 'a descriptor')), File);

const Thread = v.strictObject({
  tid: pid,
  comm: v.optional(v.string()),
  files: described(v.optional(Files), 'descriptors of its own, instead of those of the process'),
});

const Task = v.strictObject({
  pid,
  comm: described(v.optional(v.string()), 'at most 15 characters'),
  uid: v.optional(count(TWO32), 0),
  gid: v.optional(count(TWO32), 0),
  parent: v.optional(count(4194304)),
  kthread: described(v.optional(v.boolean(), false), 'a kernel thread: it has no address space'),
  exited: described(
    v.optional(v.boolean(), false),
    'its first thread is a zombie, without address space and descriptors; other threads may live on',
  ),
  start_time: described(v.optional(wide, 0), 'nanoseconds since boot'),
  cgroup: v.optional(path, '/'),
  maps: described(v.optional(v.array(Area), []), 'memory areas, lowest first, as in /proc/PID/maps'),
  memory: described(v.optional(v.array(Memory), []), 'bytes of user memory'),
  files: v.optional(Files, {}),
  limit_nofile: v.optional(count(1048576), 1024),
  threads: v.optional(v.array(Thread), []),
});

const Sample = v.strictObject({
  text: v.optional(v.string()),
  hex: v.optional(hex),
  size: described(v.optional(size), 'bytes of the sample; those that are not given are zero'),
  length: described(v.optional(size), 'what the header says; by default the number of bytes'),
  discard: v.optional(v.boolean(), false),
  busy: v.optional(v.boolean(), false),
  repeat: v.optional(count(1_000_000), 1),
});

const UserRing = v.strictObject({
  samples: v.optional(v.array(Sample), []),
  consumer: described(v.optional(wide), 'position where everything begins, for consumer and producer'),
  producer: described(v.optional(wide), 'producer position instead of the right one'),
  busy: described(v.optional(v.boolean(), false), 'somebody else drains the ring'),
});

const Lock = v.union([
  described(v.strictObject({ mmap_write: pid }), 'mmap_lock of a process is held for writing'),
  described(v.strictObject({ mmap_waiting: pid }), 'somebody waits for mmap_lock of a process to write'),
  described(v.strictObject({ alloc: pid }), 'alloc_lock of a task is held'),
  described(
    v.strictObject({ uring: v.pipe(v.string(), v.regex(/^\d+\/\d+$/, 'PID/DESCRIPTOR')) }),
    'uring_lock of a ring is held',
  ),
  described(
    v.strictObject({ epoll: v.pipe(v.string(), v.regex(/^\d+\/\d+$/, 'PID/DESCRIPTOR')) }),
    'mtx of an epoll instance is held',
  ),
]);

const Writer = v.strictObject({
  pid,
  after: described(
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000)), 1),
    'messages that programs print before',
  ),
  unmap: described(v.optional(v.array(address), []), 'start addresses of areas that are taken away'),
  map: described(v.optional(v.array(Area), []), 'areas that are added'),
});

export const WorldSchema = v.strictObject({
  machine: v.optional(
    v.strictObject({
      cpus: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(64)), 2),
      hz: described(v.optional(v.pipe(v.number(), v.integer(), v.minValue(100), v.maxValue(1000)), 1000), 'ticks of a second'),
      seed: v.optional(count(TWO32), 1),
      bits: described(
        v.optional(v.picklist([32, 64]), 64),
        "width of the kernel's long, as far as iterators store one into the context of their program",
      ),
    }),
    {},
  ),
  current: described(v.optional(pid), 'the task that programs run in; by default the first one'),
  interrupts: described(v.optional(v.picklist(['on', 'off', 'nmi']), 'on'), 'what programs interrupt'),
  cgroups: v.optional(v.array(v.strictObject({ path, id: v.optional(count(Number.MAX_SAFE_INTEGER)) })), []),
  tasks: v.optional(v.array(Task), []),
  user_ringbufs: described(v.optional(v.record(v.string(), UserRing), {}), 'what producers have published, by name of the map'),
  maps: described(
    v.optional(v.record(v.string(), v.array(v.strictObject({ key: v.unknown(), value: v.unknown() }))), {}),
    'content of maps by name, as bpftool dumps it',
  ),
  locks: described(v.optional(v.array(Lock), []), 'locks that somebody else holds'),
  writers: described(
    v.optional(v.array(Writer), []),
    'others that change memory areas while programs run; they wait as long as mmap_lock is held',
  ),
  failing_allocations: described(
    v.optional(v.array(count(1_000_000)), []),
    'allocations that fail, counted from 0 once the maps of the program are there',
  ),
});

export type WorldSpec = v.InferOutput<typeof WorldSchema>;
/** What stands in a world file, before defaults are filled in. */
export type WorldText = v.InferInput<typeof WorldSchema>;
export type TaskSpec = v.InferOutput<typeof Task>;
export type FileSpec = v.InferOutput<typeof File>;
export type AreaSpec = v.InferOutput<typeof Area>;
export type RingSpec = v.InferOutput<typeof Ring>;
export type LockSpec = v.InferOutput<typeof Lock>;
export type WriterSpec = v.InferOutput<typeof Writer>;
export type UserRingSpec = v.InferOutput<typeof UserRing>;
