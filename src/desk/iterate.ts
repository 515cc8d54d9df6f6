import { errnoName, Malformed } from '../contracts/errors.ts';
import type { ObjectImage, Program } from '../program/program.ts';
import { iterCreate, linkCreate, progLoad } from '../sys/iter_link.ts';
import type { Process } from '../sys/process.ts';
import type { System } from '../sys/system.ts';
import type { Verdict } from '../verifier/verdict.ts';

/** What an iterator program is to walk. Descriptors are those of processes of the world. */
export interface IterateOver {
  readonly tid?: number;
  readonly pid?: number;
  /** name of a map of the program's object */
  readonly map?: string;
  readonly cgroup?: string;
  readonly order?: CgroupOrder;
  readonly ioUring?: { readonly pid: number; readonly fd: number };
  readonly epoll?: { readonly pid: number; readonly fd: number };
}

export const CGROUP_ORDERS = ['self_only', 'descendants_pre', 'descendants_post', 'ancestors_up'] as const;
export type CgroupOrder = (typeof CGROUP_ORDERS)[number];

export interface Iteration {
  /** what the reads gave, in order */
  readonly pieces: readonly Uint8Array[];
  /** name of the error that ended the reading; null at the end of the file */
  readonly error: string | null;
}

export type IterateResult = Iteration | { readonly refused: Verdict } | { readonly step: string; readonly error: string };

/** Reads that may end in EAGAIN before the reading is given up. */
const MOST_RETRIES = 1000;

function descriptor(system: System, reader: Process, { pid, fd }: { readonly pid: number; readonly fd: number }): number {
  const file = system.kernel.tasks.byPid(pid)?.files?.get(fd) ?? null;
  if (file === null) throw new Malformed(`process ${pid} has no descriptor ${fd}`);
  file.get();
  return reader.files.install(file);
}

/** union bpf_iter_link_info for what is to be walked; null for everything. */
function linkInfo(system: System, reader: Process, over: IterateOver, image: ObjectImage): Uint8Array | null {
  const words = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);
  if (over.tid !== undefined || over.pid !== undefined) return words(over.tid ?? 0, over.pid ?? 0, 0, 0);
  if (over.map !== undefined) {
    const def = image.maps.find(({ name }) => name === over.map);
    if (def === undefined) throw new Malformed(`there is no map '${over.map}'`);
    return words(reader.openMap(system.map(def)));
  }
  if (over.ioUring !== undefined) return words(descriptor(system, reader, over.ioUring));
  if (over.epoll !== undefined) return words(descriptor(system, reader, over.epoll));
  if (over.cgroup === undefined && over.order === undefined) return null;
  const cgroup = over.cgroup === undefined ? system.kernel.cgroups.root : system.kernel.cgroups.find(over.cgroup);
  if (cgroup === null) throw new Malformed(`there is no cgroup ${over.cgroup}`);
  return words(CGROUP_ORDERS.indexOf(over.order ?? 'descendants_pre') + 1, 0, cgroup.id, 0);
}

/** Loads an iterator program, attaches it, and reads until nothing is left; from outside, so that the walk does not meet the reader. */
export function iterate(
  system: System,
  program: Program,
  image: ObjectImage,
  over: IterateOver = {},
  readSize = 65536,
): IterateResult {
  const loaded = system.load(program, image);
  if ('refused' in loaded) return loaded;
  const reader = system.outside();
  const failed = (step: string, error: number) => ({ step, error: errnoName(-error) });
  const prog = progLoad(reader, program);
  const link = linkCreate(reader, prog, { info: linkInfo(system, reader, over, image) });
  if (link < 0) return failed('attach', link);
  const iter = iterCreate(reader, link);
  if (iter < 0) return failed('create', iter);
  const pieces: Uint8Array[] = [];
  for (let retries = 0; ; ) {
    const bytes = reader.read(iter, readSize);
    if (typeof bytes !== 'number') {
      if (bytes.length === 0) return { pieces, error: null };
      pieces.push(bytes);
    } else if (errnoName(-bytes) !== 'EAGAIN' || ++retries > MOST_RETRIES) return { pieces, error: errnoName(-bytes) };
  }
}
