import { describe, expect, it } from 'vitest';
import { type CrRun, type CrSample, runCrApp, runCrDump, runCrRestore } from '../../src/desk/checkpoint/commands.ts';
import { DumpRecord, RECORD_BYTES } from '../../src/desk/checkpoint/image.ts';
import type { RestoreOptions } from '../../src/desk/checkpoint/restore.ts';
import { profile } from '../samples.ts';
import { readSample } from '../sys/ring_bench.ts';

const program = { name: 'bpf_cr.bpf.s', text: readSample('bpf_cr/bpf_cr.bpf.s') };
const SEED: CrSample = {
  program,
  world: { name: 'seed.world.yaml', text: readSample('bpf_cr/seed.world.yaml') },
  needsApp: true,
};
/** The process of the sample's trace: three more descriptors are open. */
const TRACE: CrSample = { ...SEED, world: { name: 'trace.world.yaml', text: readSample('bpf_cr/trace.world.yaml') } };
const inWorld = (text: string): CrSample => ({ program, world: { name: 'test.world.yaml', text }, needsApp: false });

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const stdout = ({ stdout: bytes }: CrRun): string => new TextDecoder().decode(bytes);
const records = ({ stdout: bytes }: CrRun): DumpRecord[] =>
  Array.from(
    { length: Math.ceil(bytes.length / RECORD_BYTES) },
    (_, index) => new DumpRecord(bytes.subarray(index * RECORD_BYTES)),
  );
const types = (run: CrRun): number[] => records(run).map(({ type }) => type);
const restore = (image: Uint8Array, options: RestoreOptions = {}, sample = SEED): CrRun =>
  runCrRestore(profile, sample, image, options);

/** Eight records of 40 bytes: the image of the seed (specification, E.7). */
const IMAGE = `
00000000 03000000 00000000 00000000 0e000000 02000000 04000000 00000000 dc050000 00000000
00000000 04000000 00000000 00000000 2e000000 02000000 04000000 00000000 dc050000 03000000
01000000 04000000 00000000 00000000 05000000 01000000 04000000 00000000 dc050000 03000000
02000000 04000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000
02000000 04000000 00000000 00000000 00000000 00000000 02000000 00000000 00000000 00000000
02000000 04000000 00000000 00000000 00000000 00000000 04000000 00000000 00000000 00000000
03000000 04000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000
03000000 04000000 00000000 00000000 105f673a fc7f0000 78000000 00000000 01000000 00000000`.replaceAll(/\s/g, '');
const image = Uint8Array.from(Buffer.from(IMAGE, 'hex'));

/** What the seed shows for `bpf_cr dump 318 4 | bpf_cr restore --dry-run`. */
const TRANSCRIPT = `DUMP_SETUP:
	io_uring_fd: 3
	end: true
		flags: 14
		sq_entries: 2
		cq_entries: 4
		sq_thread_cpu: 0
		sq_thread_idle: 1500
		wq_fd: 0
DUMP_SETUP:
	io_uring_fd: 4
	end: false
		flags: 46
		sq_entries: 2
		cq_entries: 4
		sq_thread_cpu: 0
		sq_thread_idle: 1500
		wq_fd: 3
DUMP_EVENTFD:
	io_uring_fd: 4
	end: false
		eventfd: 5
		async: true
DUMP_REG_FD:
	io_uring_fd: 4
	end: false
		reg_fd: 0
		index: 0
DUMP_REG_FD:
	io_uring_fd: 4
	end: false
		reg_fd: 0
		index: 2
DUMP_REG_FD:
	io_uring_fd: 4
	end: false
		reg_fd: 0
		index: 4
DUMP_REG_BUF:
	io_uring_fd: 4
	end: false
		addr: 0
		len: 0
		index: 0
DUMP_REG_BUF:
	io_uring_fd: 4
	end: true
		addr: 140721288339216
		len: 120
		index: 1
Nothing to do, exiting...
`;

/** A ring as strace shows it being made; `more`: what the flags and fields of the second one have in addition. */
const setup = (flags: string, fields: string, fd: number): string =>
  `io_uring_setup(2, {flags=IORING_SETUP_SQPOLL|IORING_SETUP_SQ_AFF|IORING_SETUP_CQSIZE${flags}, sq_thread_cpu=0, ` +
  `sq_thread_idle=1500, ${fields}sq_entries=2, cq_entries=4, features=IORING_FEAT_SINGLE_MMAP|IORING_FEAT_NODROP|` +
  'IORING_FEAT_SUBMIT_STABLE|IORING_FEAT_RW_CUR_POS|IORING_FEAT_CUR_PERSONALITY|IORING_FEAT_FAST_POLL|' +
  'IORING_FEAT_POLL_32BITS|IORING_FEAT_SQPOLL_NONFIXED|IORING_FEAT_EXT_ARG|IORING_FEAT_NATIVE_WORKERS|' +
  'IORING_FEAT_RSRC_TAGS, sq_off={head=0, tail=64, ring_mask=256, ring_entries=264, flags=276, dropped=272, array=384}, ' +
  'cq_off={head=128, tail=192, ring_mask=260, ring_entries=268, overflow=284, cqes=320, flags=0x118 /* IORING_CQ_??? */}}) ' +
  `= ${fd}`;
const RINGS = [setup('', '', 6), setup('|IORING_SETUP_ATTACH_WQ', 'wq_fd=6, ', 7)] as const;

describe('bpf_cr in the world of its transcript', () => {
  it('app names its rings', () => {
    expect(stdout(runCrApp(profile, SEED))).toBe('PID: 318, Parent io_uring: 3, Dependent io_uring: 4\n');
  });

  it('dump writes the golden image; its status is the size of the last write', () => {
    const run = runCrDump(profile, SEED, 318, 4);
    expect(run.stderr).toBe('');
    expect(hex(run.stdout)).toBe(IMAGE);
    expect(run.status).toBe(80);
  });

  it('restore --dry-run prints the transcript', () => {
    const run = restore(image, { dryRun: true });
    expect(stdout(run)).toBe(TRANSCRIPT);
    expect(run).toMatchObject({ status: 0, stderr: '', calls: [] });
  });

  it('restore fails at the memory that is not there: EFAULT', () => {
    const run = restore(image);
    expect(run.stderr).toBe('Failed to register buffers: Bad address\nFailed to execute restore action\n');
    expect(run.status).toBe(242);
  });

  it('dump of the parent alone needs no second ring', () => {
    const run = runCrDump(profile, SEED, 318, 3);
    expect(hex(run.stdout)).toBe(IMAGE.slice(0, 80));
    expect(run.status).toBe(0);
  });
});

describe('bpf_cr in the world of its trace', () => {
  it('app makes the calls of the trace', () => {
    const run = runCrApp(profile, TRACE);
    expect(stdout(run)).toBe('PID: 324, Parent io_uring: 6, Dependent io_uring: 7\n');
    expect(run.calls.map((line) => line.replace(/iov_base=0x[0-9a-f]+/, 'iov_base=0x7ffdf1a27680'))).toEqual([
      RINGS[0],
      'getpid() = 324',
      RINGS[1],
      'eventfd2(42, 0) = 8',
      'io_uring_register(7, IORING_REGISTER_EVENTFD_ASYNC, [8], 1) = 0',
      'io_uring_register(7, IORING_REGISTER_FILES, [0, -1, 1, -1, 2], 5) = 0',
      'io_uring_register(7, IORING_REGISTER_BUFFERS, [{iov_base=NULL, iov_len=0}, {iov_base=0x7ffdf1a27680, iov_len=120}], 2) = 0',
    ]);
  });

  it('restore makes the calls of the trace, up to EFAULT', () => {
    const dumped = runCrDump(profile, TRACE, 324, 7);
    const run = restore(dumped.stdout, {}, TRACE);
    expect(run.calls.map((line) => line.replace(/iov_base=0x[0-9a-f]+/, 'iov_base=0x7ffdf1a27680'))).toEqual([
      RINGS[0],
      'dup2(6, 6) = 6',
      RINGS[1],
      'dup2(7, 7) = 7',
      'eventfd2(42, 0) = 8',
      'io_uring_register(7, IORING_REGISTER_EVENTFD_ASYNC, [8], 1) = 0',
      'close(8) = 0',
      'io_uring_register(7, IORING_REGISTER_FILES, [0, -1, 0, -1, 0], 5) = 0',
      'io_uring_register(7, IORING_REGISTER_BUFFERS, [{iov_base=NULL, iov_len=0}, {iov_base=0x7ffdf1a27680, iov_len=120}], 2)' +
        ' = -1 EFAULT (Bad address)',
    ]);
  });
});

const SETUP = 0;
const EVENTFD = 1;
const REG_FD = 2;
const REG_BUF = 3;

const process = (files: string, more = ''): CrSample => inWorld(`tasks:\n  - pid: 5\n    files:\n${files}${more}`);

describe('what dump writes', () => {
  it('a ring without files and buffers once, from the call at the end', () => {
    expect(types(runCrDump(profile, process('      3: { io_uring: {} }\n'), 5, 3))).toEqual([SETUP]);
  });

  it('a ring without a polling thread has processor 0 and idle 0', () => {
    const [setup] = records(runCrDump(profile, process('      3: { io_uring: { entries: 8 } }\n'), 5, 3));
    expect([setup!.u32(16), setup!.u32(20), setup!.u32(24), setup!.s32(28), setup!.s32(32), setup!.s32(36)]).toEqual([
      0, 8, 16, 0, 0, 0,
    ]);
  });

  it('the lowest descriptor of the file that is registered', () => {
    const files = '      3: { path: /a }\n      4: { dup: 3 }\n      5: { io_uring: { files: [4, -1, 3] } }\n';
    const run = runCrDump(profile, process(files), 5, 5);
    expect(types(run)).toEqual([SETUP, REG_FD, REG_FD]);
    expect(records(run).map((record) => [record.s32(16), record.u64(24)])).toEqual([
      [0, 16n],
      [3, 0n],
      [3, 2n],
    ]);
  });

  it('the highest descriptor of an eventfd, and of the ring itself', () => {
    const files = '      3: { eventfd: 1 }\n      4: { dup: 3 }\n      5: { io_uring: { eventfd: 3 } }\n      6: { dup: 5 }\n';
    const run = runCrDump(profile, process(files), 5, 5);
    expect(types(run)).toEqual([SETUP, EVENTFD]);
    expect(records(run).map(({ ringFd }) => ringFd)).toEqual([6, 6]);
    expect(records(run)[1]!.s32(16)).toBe(4);
  });

  it('0 for a file that the process has not open, as for standard input', () => {
    const text = `tasks:
  - pid: 5
    files: { 3: { path: /a }, 4: { io_uring: { files: [3] } } }
  - pid: 6
    files: { 3: { dup: 5/4 } }
`;
    const run = runCrDump(profile, inWorld(text), 6, 3);
    expect(types(run)).toEqual([SETUP, REG_FD]);
    expect(records(run)[1]!.s32(16)).toBe(0);
  });

  it('itself as its parent when it has the lower descriptor: its records come twice', () => {
    const files = `      3: { path: /a }
      5: { io_uring: { flags: [SQPOLL], files: [3] } }
      6: { io_uring: { flags: [SQPOLL, ATTACH_WQ], wq_fd: 5, files: [3] } }
      4: { dup: 6 }
`;
    const run = runCrDump(profile, process(files), 5, 6);
    expect(types(run)).toEqual([REG_FD, SETUP, REG_FD]);
    expect(records(run)[1]!.s32(36)).toBe(4);
  });

  it('what one read of 4096 bytes holds: 102 records and a piece', () => {
    const slots = Array.from({ length: 120 }, () => 3).join(', ');
    const run = runCrDump(profile, process(`      3: { path: /a }\n      4: { io_uring: { files: [${slots}] } }\n`), 5, 4);
    expect(run.stdout.length).toBe(4096);
  });

  it('buffers, the empty one without address', () => {
    const files = '      3: { io_uring: { buffers: [null, { address: 65536, length: 4096 }] } }\n';
    const memory = '    maps: ["00010000-00020000 rw-p 00000000 00:00 0 "]\n';
    const run = runCrDump(profile, process(files, memory), 5, 3);
    expect(types(run)).toEqual([SETUP, REG_BUF, REG_BUF]);
    expect(
      records(run)
        .slice(1)
        .map((record) => [record.u64(16), record.u64(24), record.u64(32)]),
    ).toEqual([
      [0n, 0n, 0n],
      [65536n, 4096n, 1n],
    ]);
  });
});

describe('what dump refuses', () => {
  const files = '      3: { io_uring: {} }\n      4: { path: /a }\n';
  it.each([
    ['a process that is not there', 6, 3, '', 'Failed to open pidfd for PID 6: No such process'],
    ['a descriptor that is not open', 5, 9, '', 'Failed to acquire io_uring fd from PID 5: Bad file descriptor'],
    ['a file that is no ring', 5, 4, '', 'Failed to attach io_uring_buf iterator: Operation not supported'],
    [
      'a ring whose lock somebody holds',
      5,
      3,
      'locks: [{ uring: 5/3 }]\n',
      'Failed to read from io_uring_file iterator: Resource deadlock avoided',
    ],
  ])('%s', (_, pid, fd, more, message) => {
    const run = runCrDump(profile, process(files, more), pid, fd);
    expect(run).toMatchObject({ status: 1, stderr: `${message}\n` });
    expect(run.stdout.length).toBe(0);
  });
});

/** A record from its words: 0 type, 1 descriptor, 4 to 9 description. */
function record(words: Readonly<Record<number, number>>): Uint8Array {
  const view = new DataView(new ArrayBuffer(RECORD_BYTES));
  for (const [index, value] of Object.entries(words)) view.setInt32(Number(index) * 4, value, true);
  return new Uint8Array(view.buffer);
}
const ringRecord = (fd: number, entries = 2): Uint8Array => record({ 1: fd, 5: entries });
const fileRecord = (fd: number, index: number, file = 0): Uint8Array => record({ 0: REG_FD, 1: fd, 4: file, 6: index });
const bufferRecord = (fd: number, index: number): Uint8Array => record({ 0: REG_BUF, 1: fd, 8: index });
const stream = (...pieces: Uint8Array[]): Uint8Array => Uint8Array.from(pieces.flatMap((piece) => [...piece]));

describe('restore', () => {
  it('does nothing for an empty image', () => {
    expect(stdout(restore(new Uint8Array()))).toBe('Nothing to do, exiting...\n');
  });

  it('keeps the order in which records came; sorted as it was meant the child comes first and fails', () => {
    const child = record({ 1: 3, 4: 34, 5: 2, 8: 1000, 9: 5 });
    const parent = record({ 1: 5, 4: 2, 5: 2, 8: 1000 });
    expect(restore(stream(parent, child))).toMatchObject({ status: 0, stderr: '' });
    expect(restore(stream(parent, child), { order: 'intended' })).toMatchObject({
      status: 0x100 - 6,
      stderr: 'Failed to restore DUMP_SETUP desc: No such device or address\nFailed to execute restore action\n',
    });
  });

  it('fills gaps between files with empty slots and registers them at the end', () => {
    const { calls } = restore(stream(ringRecord(3), fileRecord(3, 1), fileRecord(3, 3)));
    expect(calls.at(-1)).toBe('io_uring_register(3, IORING_REGISTER_FILES, [-1, 0, -1, 0], 4) = 0');
  });

  it('moves a ring to the descriptor that it had', () => {
    expect(restore(ringRecord(9)).calls.at(-1)).toBe('dup2(3, 9) = 9');
  });

  it('registers no files of a ring whose last record is its own', () => {
    const { calls } = restore(stream(fileRecord(3, 0), ringRecord(3)));
    expect(calls.some((line) => line.includes('REGISTER_FILES'))).toBe(false);
  });

  it.each([
    [
      'more than 96 records',
      stream(...Array.from({ length: 97 }, () => ringRecord(3))),
      40,
      'Cannot process more than MAX_DESC (96) dump descs',
    ],
    [
      'a file beyond the 96th',
      stream(ringRecord(3), fileRecord(3, 96)),
      0x100 - 33,
      'Exceeded max fds MAX_DESC (96)\nFailed to execute restore action',
    ],
    [
      'a kind that it does not know',
      record({ 0: 7, 1: 3 }),
      0x100 - 33,
      'Unknown dump descriptor\nFailed to execute restore action',
    ],
    [
      'a ring of 0 entries',
      ringRecord(3, 0),
      0x100 - 22,
      'Failed to restore DUMP_SETUP desc: Invalid argument\nFailed to execute restore action',
    ],
    [
      'files of a second ring',
      stream(ringRecord(3), fileRecord(3, 0), fileRecord(4, 0)),
      134,
      "bpf_cr: do_restore_reg_fd: Assertion `reg_fd_cnt <= d->desc.reg_fd.index' failed.",
    ],
    [
      'a buffer out of turn',
      stream(ringRecord(3), bufferRecord(3, 1)),
      134,
      "bpf_cr: do_restore_reg_buf: Assertion `d->desc.reg_buf.index == reg_buf_cnt' failed.",
    ],
  ])('stops at %s', (_, bytes, status, message) => {
    expect(restore(bytes)).toMatchObject({ status, stderr: `${message}\n` });
  });

  it('takes the rest of the record before for a record that is cut off', () => {
    const run = restore(stream(ringRecord(3, 4), ringRecord(3, 4).subarray(0, 8)), { dryRun: true });
    expect(stdout(run).match(/sq_entries: 4/g)).toHaveLength(2);
  });

  it('prints what it does not know', () => {
    expect(stdout(restore(record({ 0: 6, 1: 3 }), { dryRun: true }))).toBe(
      'DUMP_REG_FD:\n\tio_uring_fd: 3\n\tend: true\n\t\t{Unknown}\nNothing to do, exiting...\n',
    );
  });
});
