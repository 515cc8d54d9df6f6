import { ERRNO } from '../../contracts/errors.ts';
import type { MapDef, ObjectImage, Program } from '../../program/program.ts';
import { iterCreate, linkCreate, linkInfo, progLoad } from '../../sys/iter_link.ts';
import { pidfdGetfd, pidfdOpen } from '../../sys/pidfd_calls.ts';
import type { Process } from '../../sys/process.ts';
import { DumpRecord, RECORD_BYTES } from './image.ts';
import { type CrOutcome, CrOutput } from './outcome.ts';

/** Bytes of the one read that each iterator gets. */
const READ_BYTES = 4096;
const DUMP_SETUP = 0;
const WQ_FD = 36;

/** The object with `tgid` set, as a skeleton's read-only data is before it is loaded. */
function withTgid(image: ObjectImage, tgid: number): readonly Program[] {
  const patched = new Map<MapDef, MapDef>();
  const patch = (def: MapDef): MapDef => {
    if (!def.name.endsWith('.rodata')) return def;
    const initial = new Uint8Array(def.valueSize);
    new DataView(initial.buffer).setInt32(0, tgid, true);
    const made = patched.get(def) ?? { ...def, initial };
    patched.set(def, made);
    return made;
  };
  const maps = image.maps.map(patch);
  return image.programs.map((program) => ({ ...program, maps }));
}

/** The dumper: its programs by name, and what it has said so far. */
class Dumper {
  readonly output = new CrOutput();
  readonly #process: Process;
  readonly #programs = new Map<string, number>();

  constructor(process: Process) {
    this.#process = process;
  }

  load(programs: readonly Program[]): number {
    for (const program of programs) {
      const fd = program.loadError === null ? progLoad(this.#process, program) : -ERRNO.EINVAL;
      if (fd < 0) return fd;
      this.#programs.set(program.name, fd);
    }
    return 0;
  }

  link(program: string, ringFd: number | null): number {
    const info = ringFd === null ? null : linkInfo(ringFd);
    return linkCreate(this.#process, this.#programs.get(program) ?? -1, { info });
  }

  create(link: number): number {
    return iterCreate(this.#process, link);
  }

  read(iter: number): Uint8Array | number {
    return this.#process.read(iter, READ_BYTES);
  }

  close(fd: number): void {
    this.#process.close(fd);
  }
}

/**
 * `bpf_cr dump PID FD`: the image of a ring, and of the ring whose polling thread it shares, in front of it. One read of each
 * iterator. After success the status is the number of bytes written last, as in the sample.
 */
export function crDump(process: Process, image: ObjectImage, pid: number, fd: number): CrOutcome {
  const dumper = new Dumper(process);
  const { output } = dumper;
  const failed = (text: string, error: number): CrOutcome => {
    output.fail(text, error);
    return output.done(1);
  };
  const pidfd = pidfdOpen(process, pid);
  if (pidfd < 0) return failed(`Failed to open pidfd for PID ${pid}`, pidfd);
  const ringFd = pidfdGetfd(process, pidfd, fd);
  if (ringFd < 0) return failed(`Failed to acquire io_uring fd from PID ${pid}`, ringFd);
  const loaded = dumper.load(withTgid(image, pid));
  if (loaded < 0) return failed('Failed to load BPF prog', loaded);

  const taskLink = dumper.link('dump_task', null);
  if (taskLink < 0) return failed('Failed to attach task_file iterator', taskLink);
  const taskIter = dumper.create(taskLink);
  if (taskIter < 0) return failed('Failed to create task_file iterator', taskIter);
  const driven = dumper.read(taskIter);
  dumper.close(taskIter);
  if (typeof driven === 'number') return failed('Failed to read from task_file iterator', driven);

  const buffers = dumper.link('dump_io_uring_buf', ringFd);
  if (buffers < 0) return failed('Failed to attach io_uring_buf iterator', buffers);
  const files = dumper.link('dump_io_uring_file', ringFd);
  if (files < 0) return failed('Failed to attach io_uring_file iterator', files);
  const bufferIter = dumper.create(buffers);
  if (bufferIter < 0) return failed('Failed to create io_uring_buf iterator', bufferIter);
  const fileIter = dumper.create(files);
  if (fileIter < 0) return failed('Failed to create io_uring_file iterator', fileIter);

  const first = dumper.read(fileIter);
  if (typeof first === 'number') return failed('Failed to read from io_uring_file iterator', first);
  const parent = parentOf(first);
  if (parent !== 0) {
    const parentFd = pidfdGetfd(process, pidfd, parent);
    if (parentFd < 0) return failed('Failed to obtain parent io_uring', parentFd);
    if (!dumpParent(dumper, parentFd)) return output.done(1);
  }
  output.write(first);
  const rest = dumper.read(bufferIter);
  if (typeof rest === 'number') return failed('Failed to read from io_uring_buf iterator', rest);
  return output.done(output.write(rest));
}

/** wq_fd of the first record, which is the ring's own; 0 for none. */
function parentOf(bytes: Uint8Array): number {
  if (bytes.length < RECORD_BYTES) return 0;
  const record = new DumpRecord(bytes);
  return record.type === DUMP_SETUP ? record.u32(WQ_FD) : 0;
}

/** One level of parents, in the same way. False when something failed. */
function dumpParent(dumper: Dumper, ringFd: number): boolean {
  const { output } = dumper;
  const failed = (text: string, error: number): boolean => {
    output.fail(text, error);
    return false;
  };
  const buffers = dumper.link('dump_io_uring_buf', ringFd);
  if (buffers < 0) return failed('Failed to attach to io_uring_buf', buffers);
  const files = dumper.link('dump_io_uring_file', ringFd);
  if (files < 0) return failed('Failed to attach io_uring_file', files);
  const bufferIter = dumper.create(buffers);
  if (bufferIter < 0) return failed('Failed to create io_uring_buf', bufferIter);
  const fileIter = dumper.create(files);
  if (fileIter < 0) return failed('Failed to create io_uring_file', fileIter);
  for (const [iter, name] of [
    [fileIter, 'io_uring_file'],
    [bufferIter, 'io_uring_buf'],
  ] as const) {
    const bytes = dumper.read(iter);
    if (typeof bytes === 'number') return failed(`Failed to read from ${name} iterator`, bytes);
    output.write(bytes);
  }
  return true;
}
