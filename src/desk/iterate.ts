import { errnoName, Malformed } from '../contracts/errors.ts';
import type { ObjectImage, Program } from '../program/program.ts';
import { ringRead } from '../sys/io_uring_calls.ts';
import { iterCreate, linkCreate, linkInfoLines, progLoad } from '../sys/iter_link.ts';
import type { Process } from '../sys/process.ts';
import type { System } from '../sys/system.ts';
import type { Verdict } from '../verifier/verdict.ts';

/** A descriptor of a process of the world. */
export interface Place {
  readonly pid: number;
  readonly fd: number;
}

/** What an iterator program is to walk. Descriptors are those of processes of the world. */
export interface IterateOver {
  readonly tid?: number;
  readonly pid?: number;
  /** name of a map of the program's object */
  readonly map?: string;
  readonly cgroup?: string;
  readonly order?: CgroupOrder;
  readonly ioUring?: Place;
  readonly epoll?: Place;
}

export const CGROUP_ORDERS = ['self_only', 'descendants_pre', 'descendants_post', 'ancestors_up'] as const;
export type CgroupOrder = (typeof CGROUP_ORDERS)[number];

/** How an iterator is read. */
export interface Reading {
  /** bytes of a read; default 65536 */
  readonly size?: number;
  /** a ring of the world whose process submits the reads; default: a process outside of the world reads */
  readonly through?: Place;
  /** the link, and the descriptor that is walked, are closed before the first read */
  readonly closesLink?: boolean;
}

export interface Iteration {
  /** what the reads gave, in order */
  readonly pieces: readonly Uint8Array[];
  /** name of the error that ended the reading; null at the end of the file */
  readonly error: string | null;
  /** what BPF_OBJ_GET_INFO_BY_FD and /proc/PID/fdinfo tell of the link */
  readonly link: readonly string[];
}

export type IterateResult = Iteration | { readonly refused: Verdict } | { readonly step: string; readonly error: string };

const READ_BYTES = 65536;
/** Reads that may end in EAGAIN before the reading is given up. */
const MOST_RETRIES = 1000;

function processAt(system: System, { pid, fd }: Place): Process {
  const task = system.kernel.tasks.byPid(pid);
  if (task?.files?.get(fd) == null) throw new Malformed(`process ${pid} has no descriptor ${fd}`);
  return system.processOf(task);
}

/** A descriptor of `to` for the open file of another process. */
function passed(from: Process, fd: number, to: Process): number {
  const file = from.file(fd)!;
  file.get();
  return to.files.install(file);
}

/** union bpf_iter_link_info for what is to be walked; null for everything. */
function linkInfo(system: System, reader: Process, over: IterateOver, image: ObjectImage): Uint8Array | null {
  const words = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);
  const place = over.ioUring ?? over.epoll;
  if (over.tid !== undefined || over.pid !== undefined) return words(over.tid ?? 0, over.pid ?? 0, 0, 0);
  if (over.map !== undefined) {
    const def = image.maps.find(({ name }) => name === over.map);
    if (def === undefined) throw new Malformed(`there is no map '${over.map}'`);
    return words(reader.openMap(system.map(def)));
  }
  if (place !== undefined) return words(passed(processAt(system, place), place.fd, reader));
  if (over.cgroup === undefined && over.order === undefined) return null;
  const cgroup = over.cgroup === undefined ? system.kernel.cgroups.root : system.kernel.cgroups.find(over.cgroup);
  if (cgroup === null) throw new Malformed(`there is no cgroup ${over.cgroup}`);
  return words(CGROUP_ORDERS.indexOf(over.order ?? 'descendants_pre') + 1, 0, cgroup.id, 0);
}

/** Closes what keeps alive what is walked: the link, and the descriptor itself with its copy in the reader. */
function closeLink(system: System, reader: Process, link: number, info: Uint8Array | null, over: IterateOver): void {
  reader.close(link);
  const place = over.ioUring ?? over.epoll;
  if (place === undefined || info === null) return;
  reader.close(new DataView(info.buffer).getUint32(0, true));
  processAt(system, place).close(place.fd);
}

/** Loads an iterator program, attaches it, and reads until nothing is left; from outside, so that the walk does not meet the reader. */
export function iterate(
  system: System,
  program: Program,
  image: ObjectImage,
  over: IterateOver = {},
  { size = READ_BYTES, through, closesLink = false }: Reading = {},
): IterateResult {
  const loaded = system.load(program, image);
  if ('refused' in loaded) return loaded;
  const reader = system.outside();
  const failed = (step: string, error: number) => ({ step, error: errnoName(-error) });
  const prog = progLoad(reader, program);
  const info = linkInfo(system, reader, over, image);
  const link = linkCreate(reader, prog, { info });
  if (link < 0) return failed('attach', link);
  const told = linkInfoLines(reader, link) ?? [];
  const iter = iterCreate(reader, link);
  if (iter < 0) return failed('create', iter);
  if (closesLink) closeLink(system, reader, link, info, over);
  const submitter = through === undefined ? null : processAt(system, through);
  const there = submitter === null ? 0 : passed(reader, iter, submitter);
  const read = (): Uint8Array | number =>
    submitter === null ? reader.read(iter, size) : ringRead(submitter, through!.fd, there, size);
  const pieces: Uint8Array[] = [];
  for (let retries = 0; ; ) {
    const bytes = read();
    if (typeof bytes !== 'number') {
      if (bytes.length === 0) return { pieces, error: null, link: told };
      pieces.push(bytes);
    } else if (errnoName(-bytes) !== 'EAGAIN' || ++retries > MOST_RETRIES)
      return { pieces, error: errnoName(-bytes), link: told };
  }
}
