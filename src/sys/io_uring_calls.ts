import { ERRNO } from '../contracts/errors.ts';
import { IORING_SETUP, IoRing, SqData } from '../kernel/io_uring.ts';
import type { KernelFile } from '../kernel/objects/files.ts';
import type { Process } from './process.ts';

/** io_uring_setup, io_uring_register and reads. Source: io_uring/io_uring.c, sqpoll.c, register.c, rsrc.c, eventfd.c, rw.c. */

export const IORING_REGISTER = { BUFFERS: 0, FILES: 2, EVENTFD: 4, EVENTFD_ASYNC: 7 } as const;

const MAX_ENTRIES = 32768;
const MAX_CQ_ENTRIES = 2 * MAX_ENTRIES;
const MAX_FIXED_FILES = 1 << 20;
const MAX_BUFFERS = 16384;
const MAX_BUFFER_BYTES = 1 << 30;
const KNOWN_FLAGS = Object.values(IORING_SETUP).reduce((sum: number, flag) => sum | flag, 0);
const TWO64 = 1n << 64n;
/** Features of the era of the proposal (Linux 5.16), by bit. */
const FEATURES = [
  'SINGLE_MMAP',
  'NODROP',
  'SUBMIT_STABLE',
  'RW_CUR_POS',
  'CUR_PERSONALITY',
  'FAST_POLL',
  'POLL_32BITS',
  'SQPOLL_NONFIXED',
  'EXT_ARG',
  'NATIVE_WORKERS',
  'RSRC_TAGS',
] as const;
/** Offsets into the mapped rings, as they are for 2 submission and 4 completion entries. */
const SQ_OFF = 'sq_off={head=0, tail=64, ring_mask=256, ring_entries=264, flags=276, dropped=272, array=384}';
const CQ_OFF =
  'cq_off={head=128, tail=192, ring_mask=260, ring_entries=268, overflow=284, cqes=320, flags=0x118 /* IORING_CQ_??? */}';

/** struct io_uring_params, the part that the caller fills in and the kernel completes. */
export interface RingParams {
  flags: number;
  sqEntries: number;
  cqEntries: number;
  sqThreadCpu: number;
  sqThreadIdle: number;
  wqFd: number;
}

export const ringParams = (given: Partial<RingParams> = {}): RingParams => ({
  flags: 0,
  sqEntries: 0,
  cqEntries: 0,
  sqThreadCpu: 0,
  sqThreadIdle: 0,
  wqFd: 0,
  ...given,
});

const FLAG_NAMES = Object.entries(IORING_SETUP);

function paramsText(params: RingParams, isDone: boolean): string {
  const flags = FLAG_NAMES.filter(([, bit]) => (params.flags & bit) !== 0).map(([name]) => `IORING_SETUP_${name}`);
  const parts = [`flags=${flags.length === 0 ? '0' : flags.join('|')}`];
  if ((params.flags & (IORING_SETUP.SQPOLL | IORING_SETUP.SQ_AFF)) !== 0) {
    parts.push(`sq_thread_cpu=${params.sqThreadCpu}`, `sq_thread_idle=${params.sqThreadIdle}`);
  }
  if ((params.flags & IORING_SETUP.ATTACH_WQ) !== 0) parts.push(`wq_fd=${params.wqFd}`);
  if (isDone) {
    parts.push(`sq_entries=${params.sqEntries}`, `cq_entries=${params.cqEntries}`);
    parts.push(`features=${FEATURES.map((name) => `IORING_FEAT_${name}`).join('|')}`, SQ_OFF, CQ_OFF);
  } else if ((params.flags & IORING_SETUP.CQSIZE) !== 0) parts.push(`cq_entries=${params.cqEntries}`);
  return `{${parts.join(', ')}}`;
}

const powerOfTwo = (value: number): number => 2 ** Math.ceil(Math.log2(value));

/** io_uring_fill_params: how many entries, or an error. */
function sizes(entries: number, params: RingParams): { sq: number; cq: number } | number {
  const clamps = (params.flags & IORING_SETUP.CLAMP) !== 0;
  if (entries === 0 || (entries > MAX_ENTRIES && !clamps)) return -ERRNO.EINVAL;
  const sq = powerOfTwo(Math.min(entries, MAX_ENTRIES));
  if ((params.flags & IORING_SETUP.CQSIZE) === 0) return { sq, cq: 2 * sq };
  const wanted = params.cqEntries;
  if (wanted === 0 || (wanted > MAX_CQ_ENTRIES && !clamps)) return -ERRNO.EINVAL;
  const cq = powerOfTwo(Math.min(wanted, MAX_CQ_ENTRIES));
  return cq < sq ? -ERRNO.EINVAL : { sq, cq };
}

export const ringOfFile = (process: Process, file: KernelFile | null): IoRing | null =>
  file?.behaviour.operations === 'io_uring_fops' ? (process.system.kernel.rings.get(file.behaviour.privateData) ?? null) : null;

/** io_sq_offload_create: the polling thread, shared with the ring that wq_fd names; null without one; or an error. */
function offload(process: Process, params: RingParams): SqData | null | number {
  const { system } = process;
  const has = (flag: number): boolean => (params.flags & flag) !== 0;
  const other = has(IORING_SETUP.ATTACH_WQ) ? process.file(params.wqFd) : null;
  const target = ringOfFile(process, other);
  if (has(IORING_SETUP.ATTACH_WQ)) {
    if (other === null) return -ERRNO.ENXIO;
    if (target === null) return -ERRNO.EINVAL;
  }
  if (!has(IORING_SETUP.SQPOLL)) return has(IORING_SETUP.SQ_AFF) ? -ERRNO.EINVAL : null;
  let data: SqData | null = null;
  if (target !== null) {
    if (target.setup.sqData === null) return -ERRNO.EINVAL;
    if (target.setup.sqData.tgid === process.task.tgid) data = target.setup.sqData;
    data?.share();
  }
  if (data === null) {
    const isPinned = has(IORING_SETUP.SQ_AFF);
    if (isPinned && (params.sqThreadCpu < 0 || params.sqThreadCpu >= system.machine.cpuCount)) return -ERRNO.EINVAL;
    data = new SqData(system.kernel.objects, isPinned ? params.sqThreadCpu : -1, process.task.tgid);
  }
  const jiffies = Math.ceil((params.sqThreadIdle * system.hz) / 1000);
  data.wait(jiffies === 0 ? system.hz : jiffies);
  return data;
}

/** A descriptor, or an error. `params` are completed as the kernel does. */
export function ioUringSetup(process: Process, entries: number, params: RingParams): number {
  process.system.enter(process.task);
  const result = setUp(process, entries, params);
  return process.call('io_uring_setup', `${entries}, ${paramsText(params, result >= 0)}`, () => result);
}

function setUp(process: Process, entries: number, params: RingParams): number {
  const { kernel } = process.system;
  if ((params.flags & ~KNOWN_FLAGS) !== 0) return -ERRNO.EINVAL;
  const size = sizes(entries, params);
  if (typeof size === 'number') return size;
  const sqData = offload(process, params);
  if (typeof sqData === 'number') return sqData;
  const setup = { flags: params.flags, sqEntries: size.sq, cqEntries: size.cq, sqData };
  const ring = new IoRing(kernel.objects, setup, `pid ${process.pid}`);
  kernel.rings.set(ring.offset, ring);
  params.sqEntries = size.sq;
  params.cqEntries = size.cq;
  return process.installAnonymous('[io_uring]', {
    operations: 'io_uring_fops',
    privateData: ring.offset,
    poll: () => 0,
    release: () => {
      ring.isDying = true;
      for (const file of ring.files ?? []) file?.put();
      ring.put();
    },
  });
}

/** A process's rings, by descriptor. */
export const ringOf = (process: Process, fd: number): IoRing | null => ringOfFile(process, process.file(fd));

function register(process: Process, fd: number, action: (ring: IoRing) => number): number {
  const file = process.file(fd);
  if (file === null) return -ERRNO.EBADF;
  const ring = ringOfFile(process, file);
  if (ring === null) return -ERRNO.EOPNOTSUPP;
  if (ring.isDying) return -ERRNO.ENXIO;
  ring.uringLock.lock();
  const result = action(ring);
  ring.uringLock.unlock();
  return result;
}

/** IORING_REGISTER_EVENTFD, or with `async` IORING_REGISTER_EVENTFD_ASYNC. */
export function registerEventFd(process: Process, ringFd: number, fd: number, async = false): number {
  const name = async ? 'IORING_REGISTER_EVENTFD_ASYNC' : 'IORING_REGISTER_EVENTFD';
  return process.call('io_uring_register', `${ringFd}, ${name}, [${fd}], 1`, () =>
    register(process, ringFd, (ring) => {
      if (ring.eventFd !== null) return -ERRNO.EBUSY;
      const file = process.file(fd);
      if (file === null) return -ERRNO.EBADF;
      const event = process.system.kernel.eventFds.get(file.behaviour.privateData);
      if (event === undefined || file.behaviour.operations !== 'eventfd_fops') return -ERRNO.EINVAL;
      ring.registerEventFd(event, async);
      return 0;
    }),
  );
}

/** -1 leaves a slot empty. Nothing is registered when one of the descriptors cannot be. */
export function registerFiles(process: Process, ringFd: number, fds: readonly number[]): number {
  return process.call('io_uring_register', `${ringFd}, IORING_REGISTER_FILES, [${fds.join(', ')}], ${fds.length}`, () =>
    register(process, ringFd, (ring) => {
      if (ring.files !== null) return -ERRNO.EBUSY;
      if (fds.length === 0) return -ERRNO.EINVAL;
      if (fds.length > MAX_FIXED_FILES || fds.length > process.files.limit) return -ERRNO.EMFILE;
      const files = fds.map((fd) => (fd === -1 ? null : process.file(fd)));
      const isBad = (file: KernelFile | null, index: number): boolean =>
        fds[index] !== -1 && (file === null || ringOfFile(process, file) !== null);
      if (files.some(isBad)) return -ERRNO.EBADF;
      for (const file of files) file?.get();
      ring.registerFiles(files);
      return 0;
    }),
  );
}

export interface IoVector {
  /** null: NULL */
  readonly base: bigint | null;
  readonly length: number;
}

/** io_buffer_validate, io_pin_pages: whether a buffer can be registered. */
function checkBuffer(process: Process, { base, length }: IoVector): number {
  if (base === null) return length === 0 ? 0 : -ERRNO.EFAULT;
  if (length === 0 || length > MAX_BUFFER_BYTES) return -ERRNO.EFAULT;
  if (base + BigInt(length) >= TWO64) return -ERRNO.EOVERFLOW;
  const lo = Number(BigInt.asIntN(32, base));
  const hi = Number(BigInt.asIntN(32, base >> 32n));
  return process.task.mm?.memory.read(lo, hi, length) == null ? -ERRNO.EFAULT : 0;
}

const vectorText = ({ base, length }: IoVector): string =>
  `{iov_base=${base === null ? 'NULL' : `0x${base.toString(16)}`}, iov_len=${length}}`;

export function registerBuffers(process: Process, ringFd: number, vectors: readonly IoVector[]): number {
  const args = `${ringFd}, IORING_REGISTER_BUFFERS, [${vectors.map(vectorText).join(', ')}], ${vectors.length}`;
  return process.call('io_uring_register', args, () =>
    register(process, ringFd, (ring) => {
      if (ring.buffers !== null) return -ERRNO.EBUSY;
      if (vectors.length === 0 || vectors.length > MAX_BUFFERS) return -ERRNO.EINVAL;
      for (const vector of vectors) {
        const bad = checkBuffer(process, vector);
        if (bad !== 0) return bad;
      }
      ring.registerBuffers(vectors, process.task.mm!, process.system.kernel.frames);
      return 0;
    }),
  );
}

/**
 * IORING_OP_READ that io_uring_enter carries out at once: whoever submits holds the ring's lock meanwhile, so that a file which
 * wants the same lock must not wait for it. Bytes, or a negative error number (the result of the completion).
 */
export function ringRead(process: Process, ringFd: number, fd: number, size: number): Uint8Array | number {
  let bytes: Uint8Array | number = -ERRNO.EBADF;
  const entered = process.call('io_uring_enter', `${ringFd}, 1, 1, IORING_ENTER_GETEVENTS, NULL, 8`, () =>
    register(process, ringFd, () => {
      const file = process.file(fd);
      if (file !== null) bytes = file.behaviour.read?.(size) ?? -ERRNO.EINVAL;
      return 1;
    }),
  );
  return entered < 0 ? entered : bytes;
}
