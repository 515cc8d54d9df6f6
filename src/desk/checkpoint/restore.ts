import { ERRNO } from '../../contracts/errors.ts';
import { IORING_SETUP } from '../../kernel/io_uring.ts';
import { eventfd } from '../../sys/event_calls.ts';
import {
  type IoVector,
  ioUringSetup,
  registerBuffers,
  registerEventFd,
  registerFiles,
  ringParams,
} from '../../sys/io_uring_calls.ts';
import type { Process } from '../../sys/process.ts';
import { DumpRecord, RECORD_BYTES, RECORD_TYPES } from './image.ts';
import { type CrOutcome, CrOutput } from './outcome.ts';

/** Records, files and buffers that the sample has room for. */
const MAX_DESC = 96;
/** What a shell shows for a process that an assertion has ended: 128 and SIGABRT. */
const ABORTED = 134;

export interface RestoreOptions {
  readonly dryRun?: boolean;
  /**
   * `as-written`: the sample's comparison looks at the pointers instead of the records, so that records stay as they came.
   * `intended`: by descriptor of the ring, then by type.
   */
  readonly order?: 'as-written' | 'intended';
}

/** An assertion of the sample that does not hold. */
class Aborted extends Error {}

/**
 * `bpf_cr restore [--dry-run]`: prints the records of an image and makes the rings anew. Tables of files and buffers are the
 * sample's globals: they are never emptied, so that only one ring can have any.
 */
export function crRestore(process: Process, image: Uint8Array, options: RestoreOptions = {}): CrOutcome {
  const output = new CrOutput();
  const records = readRecords(image, options.order ?? 'as-written');
  if (records === null) {
    output.fail(`Cannot process more than MAX_DESC (${MAX_DESC}) dump descs`);
    return output.done(RECORD_BYTES);
  }
  const restorer = new Restorer(process, output);
  for (const record of records) {
    output.print(record.text());
    if (options.dryRun === true) continue;
    try {
      const result = restorer.restore(record);
      if (result >= 0) continue;
      output.fail('Failed to execute restore action');
      return output.done(result);
    } catch (error) {
      if (!(error instanceof Aborted)) throw error;
      output.fail(error.message);
      return output.done(ABORTED);
    }
  }
  if (options.dryRun === true || records.length === 0) output.print('Nothing to do, exiting...\n');
  return output.done(0);
}

/** Whole reads of 40 bytes; a shorter one at the end leaves the rest of the record in front. Null for too many. */
function readRecords(image: Uint8Array, order: 'as-written' | 'intended'): DumpRecord[] | null {
  const buffer = new Uint8Array(RECORD_BYTES);
  const records: DumpRecord[] = [];
  let previous = 0;
  for (let at = 0; at < image.length; at += RECORD_BYTES) {
    buffer.set(image.subarray(at, at + RECORD_BYTES));
    if (records.length === MAX_DESC) return null;
    const record = new DumpRecord(buffer);
    if (previous === 0) previous = record.ringFd;
    if (previous !== record.ringFd) {
      records.at(-1)!.end = true;
      previous = record.ringFd;
    }
    records.push(record);
    if (order === 'intended') records.sort((a, b) => a.ringFd - b.ringFd || a.type - b.type);
  }
  const last = records.at(-1);
  if (last !== undefined) last.end = true;
  return records;
}

class Restorer {
  readonly #process: Process;
  readonly #output: CrOutput;
  readonly #files: number[] = [];
  readonly #buffers: IoVector[] = [];

  constructor(process: Process, output: CrOutput) {
    this.#process = process;
    this.#output = output;
  }

  restore(record: DumpRecord): number {
    switch (RECORD_TYPES[record.type]) {
      case 'DUMP_SETUP':
        return this.#setup(record);
      case 'DUMP_EVENTFD':
        return this.#eventFd(record);
      case 'DUMP_REG_FD':
        return this.#file(record);
      case 'DUMP_REG_BUF':
        return this.#buffer(record);
      default:
        this.#output.fail('Unknown dump descriptor');
        return -ERRNO.EDOM;
    }
  }

  #failed(text: string, error: number): number {
    this.#output.fail(text, error);
    return error;
  }

  #setup(record: DumpRecord): number {
    const flags = record.u32(16);
    const has = (flag: number): boolean => (flags & flag) !== 0;
    const params = ringParams({
      flags,
      sqThreadCpu: has(IORING_SETUP.SQ_AFF) ? record.s32(28) : 0,
      sqThreadIdle: has(IORING_SETUP.SQPOLL) ? record.u32(32) : 0,
      wqFd: has(IORING_SETUP.ATTACH_WQ) ? record.s32(36) : 0,
      cqEntries: has(IORING_SETUP.CQSIZE) ? record.u32(24) : 0,
    });
    const fd = ioUringSetup(this.#process, record.u32(20), params);
    if (fd < 0) return this.#failed('Failed to restore DUMP_SETUP desc', fd);
    const moved = this.#process.dup2(fd, record.ringFd);
    if (moved >= 0) return 0;
    this.#process.close(fd);
    return this.#failed('Failed to dup io_uring_fd', moved);
  }

  /** A new eventfd, whatever the old one was. */
  #eventFd(record: DumpRecord): number {
    const fd = eventfd(this.#process, 42);
    if (fd < 0) return this.#failed('Failed to open eventfd', fd);
    const result = registerEventFd(this.#process, record.ringFd, fd, record.byte(20) !== 0);
    if (result < 0) this.#output.fail('Failed to register eventfd', result);
    this.#process.close(fd);
    return Math.min(result, 0);
  }

  #file(record: DumpRecord): number {
    const index = record.u64(24);
    if (this.#files.length === MAX_DESC || index >= BigInt(MAX_DESC)) {
      this.#output.fail(`Exceeded max fds MAX_DESC (${MAX_DESC})`);
      return -ERRNO.EDOM;
    }
    if (BigInt(this.#files.length) > index) {
      throw new Aborted("bpf_cr: do_restore_reg_fd: Assertion `reg_fd_cnt <= d->desc.reg_fd.index' failed.");
    }
    while (BigInt(this.#files.length) < index) this.#files.push(-1);
    this.#files.push(record.s32(16));
    return record.end ? this.#registerFiles(record.ringFd) : 0;
  }

  #registerFiles(ringFd: number): number {
    const result = registerFiles(this.#process, ringFd, this.#files);
    return result < 0 ? this.#failed('Failed to register files', result) : 0;
  }

  #buffer(record: DumpRecord): number {
    if (this.#buffers.length === MAX_DESC) {
      this.#output.fail(`Exceeded max buffers MAX_DESC (${MAX_DESC})`);
      return -ERRNO.EDOM;
    }
    if (record.u64(32) !== BigInt(this.#buffers.length)) {
      throw new Aborted("bpf_cr: do_restore_reg_buf: Assertion `d->desc.reg_buf.index == reg_buf_cnt' failed.");
    }
    const base = record.u64(16);
    this.#buffers.push({ base: base === 0n ? null : base, length: Number(record.u64(24)) });
    if (!record.end) return 0;
    if (this.#files.length > 0) {
      const result = this.#registerFiles(record.ringFd);
      if (result < 0) return result;
    }
    const result = registerBuffers(this.#process, record.ringFd, this.#buffers);
    return result < 0 ? this.#failed('Failed to register buffers', result) : 0;
  }
}
