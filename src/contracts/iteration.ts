import type { Program } from '../program/program.ts';
import type { PartKey } from './host_call.ts';
import type { HostMap } from './host_map.ts';
import type { HostMemory } from './host_memory.ts';
import type { HostSymbol, HostSymbols } from './host_symbols.ts';

/**
 * The code behind a seq-file iterator target: what BPF_LINK_CREATE attaches to, and the walk of one open file. Errors are negative
 * error numbers. Source: struct bpf_iter_reg and struct bpf_iter_seq_info, include/linux/bpf.h.
 */
export interface IterRun<Subject = unknown> {
  /** attach_target: what the link refers to from now on, or an error */
  readonly attach: (host: IterHost, info: IterLinkInfo, program: IterProgram) => Subject | number;
  /** detach_target: gives that back */
  readonly detach?: (subject: Subject) => void;
  /** init_seq_private: a walk, or an error */
  readonly open: (host: IterHost, subject: Subject, session: IterSession) => IterSequence | number;
  /** show_fdinfo: lines, each with its newline */
  readonly fdinfo?: (subject: Subject) => string;
  /** fill_link_info: fields of bpf_link_info.iter below the target's name */
  readonly linkInfo?: (subject: Subject) => Readonly<Record<string, number | bigint>>;
}

/** union bpf_iter_link_info, as far as the caller filled it in; what is absent is 0. */
export interface IterLinkInfo {
  readonly mapFd?: number;
  readonly task?: { readonly tid?: number; readonly pid?: number; readonly pidFd?: number };
  readonly cgroup?: { readonly order?: number; readonly fd?: number; readonly id?: bigint };
  readonly ioUringFd?: number;
  readonly epollFd?: number;
}

/** The program that is attached, as targets look at it. */
export interface IterProgram {
  readonly program: Program;
  /** bytes of the key, and of the value, that the program may touch (max_rdonly_access, max_rdwr_access) */
  readonly keyAccess: number;
  readonly valueAccess: number;
}

/** An open file, as attaching sees it. */
export interface IterFile {
  /** offset of its `struct file` */
  readonly offset: number;
  /** name of its table of operations: `io_uring_fops` */
  readonly operations: string;
  /** offset that `private_data` points to */
  readonly privateData: number;
  /** inode number */
  readonly inode: number;
  get(): boolean;
  put(): void;
}

/** What a target may ask of the system around it: the caller's descriptors, and the model. */
export interface IterHost {
  readonly memory: HostMemory;
  readonly cpuCount: number;
  readonly maps: IterRegistry<HostMap>;
  readonly programs: IterRegistry<IterObject>;
  readonly links: IterRegistry<IterObject>;
  readonly symbols: HostSymbols;
  /** loaded programs as symbols: `bpf_prog_TAG_NAME` */
  readonly programSymbols: readonly HostSymbol[];
  part<T>(key: PartKey<T>): T;
  /** the file of a descriptor; null where there is none */
  file(fd: number): IterFile | null;
  /** the map of a descriptor, or -EBADF, -EINVAL */
  map(fd: number): HostMap | number;
}

/** Kernel objects with ids: maps, programs, links. */
export interface IterRegistry<T extends IterObject> {
  /** the object with the lowest id that is not below `id` (bpf_map_get_curr_or_next and kin) */
  from(id: number): T | null;
}

export interface IterObject {
  readonly id: number;
  /** offset of its struct */
  readonly offset: number;
}

/**
 * One open file of an iterator. The sequence puts the words of the context in place (word 0, the meta pointer, is there already)
 * and runs the program.
 */
export interface IterSession {
  /** stores the kernel address of an offset (0: NULL) into a word of the context */
  setPointer(word: number, offset: number): void;
  setNumber(word: number, value: number): void;
  /** stores an unsigned long: on a kernel of 32 bits the upper half of the word keeps what the stack had there */
  setLong(word: number, value: number): void;
  /**
   * Runs the program: 0, or -EAGAIN when it wants to see the object again (bpf_iter_run_prog). In stop it runs only until it has
   * seen the end once (bpf_iter_get_info).
   */
  run(inStop?: boolean): number;
  /** seq_num of the object that is shown */
  readonly number: bigint;
}

/** Where a step has led: to an object, behind the last one, or to an error. */
export type IterStep = 'object' | 'end' | number;

/** struct seq_operations. The sequence itself remembers which object it is at. */
export interface IterSequence {
  start(position: IterPosition): IterStep;
  next(position: IterPosition): IterStep;
  /** 0, a positive number for an object that is passed over, or an error */
  show(): number;
  /** `object`: it was not used up and has to come again; a number: start failed with it */
  stop(at: IterStep): void;
  /** fini_seq_private */
  close?(): void;
}

/** seq_file.index. */
export interface IterPosition {
  index: number;
}

/** The code of a target, whatever its links refer to. */
export const iterRun = <Subject>(run: IterRun<Subject>): IterRun => run as IterRun;
