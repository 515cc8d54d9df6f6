import type { IterContextArg, IterTarget } from '../contracts/iter_target.ts';
import type { RevisedEntry, Revision } from '../contracts/revision.ts';
import { OPERATIONS_ADDRESSES } from '../kernel/objects/operations.ts';
import {
  EPOLL_CONTEXT,
  IO_URING_BUF_CONTEXTS,
  IO_URING_FILE_CONTEXTS,
  IO_URING_STRUCTS,
  RING_LINK_INFO,
} from './proposed_types.ts';
import { epollRun } from './run/epoll.ts';
import { IO_URING_BUF_RUNS, IO_URING_FILE_RUNS } from './run/io_uring.ts';

const object = (name: string, off: number, btfType: string): IterContextArg => ({
  name,
  off,
  reg: { base: 'PTR_TO_BTF_ID', flags: [] },
  btfType,
});

const nullable = (name: string, off: number, btfType: string): IterContextArg => ({
  ...object(name, off, btfType),
  reg: { base: 'PTR_TO_BTF_ID', flags: ['PTR_MAYBE_NULL'] },
});

type Proposed = Pick<IterTarget, 'name' | 'contextArgs' | 'source' | 'summary'> & Required<Pick<IterTarget, 'run'>>;

const proposed = (target: Proposed): IterTarget => ({
  ...target,
  attachFunction: `bpf_iter_${target.name}`,
  features: ['BPF_ITER_RESCHED'],
  attach: { kind: 'none' },
});

const ring = object('ctx', 8, 'io_ring_ctx');

const bufTarget = (run: IterTarget['run'] & object): IterTarget =>
  proposed({
    name: 'io_uring_buf',
    contextArgs: [ring, nullable('ubuf', 16, 'io_mapped_ubuf')],
    run,
    source: 'fs/io_uring.c, proposed',
    summary: 'every registered buffer of a ring',
  });

const fileTarget = (run: IterTarget['run'] & object): IterTarget =>
  proposed({
    name: 'io_uring_file',
    contextArgs: [ring, nullable('file', 16, 'file')],
    run,
    source: 'fs/io_uring.c, proposed',
    summary: 'every registered file of a ring, empty slots included',
  });

const epollTarget = proposed({
  name: 'epoll',
  contextArgs: [object('ep', 8, 'eventpoll'), nullable('epi', 16, 'epitem')],
  run: epollRun,
  source: 'fs/eventpoll.c, proposed',
  summary: 'every item of an epoll instance',
});

const STALE = 'an iterator that is read after its link was closed uses a ring that may be gone';

const ringRevision = (name: string, summary: string, target: IterTarget, ...declarations: readonly string[]): Revision => ({
  name,
  summary,
  iterTargets: [target],
  declarations: [IO_URING_STRUCTS, ...declarations],
  dataAddresses: OPERATIONS_ADDRESSES,
  unsound: STALE,
});

/** Iterators that were proposed for checkpoint and restore in November 2021. Version 3 behaves as version 2 does. */
export const ITERATOR_REVISIONS: readonly RevisedEntry[] = [
  {
    name: 'io_uring_buf',
    base: null,
    revisions: [
      ringRevision(
        'v1',
        'index as unsigned long; links do not tell their ring',
        bufTarget(IO_URING_BUF_RUNS.v1),
        IO_URING_BUF_CONTEXTS.v1,
      ),
      ringRevision(
        'v2',
        'index as u64; links tell the inode of their ring',
        bufTarget(IO_URING_BUF_RUNS.v2),
        IO_URING_BUF_CONTEXTS.v2,
        RING_LINK_INFO,
      ),
    ],
  },
  {
    name: 'io_uring_file',
    base: null,
    revisions: [
      ringRevision(
        'v1',
        'index as unsigned long; links do not tell their ring',
        fileTarget(IO_URING_FILE_RUNS.v1),
        IO_URING_FILE_CONTEXTS.v1,
      ),
      ringRevision(
        'v2',
        'index as u64; links tell the inode of their ring',
        fileTarget(IO_URING_FILE_RUNS.v2),
        IO_URING_FILE_CONTEXTS.v2,
        RING_LINK_INFO,
      ),
    ],
  },
  {
    name: 'epoll',
    base: null,
    revisions: [
      {
        name: 'v1',
        summary: 'items in the order of the tree, under the mutex of the instance',
        iterTargets: [epollTarget],
        declarations: [EPOLL_CONTEXT],
        dataAddresses: OPERATIONS_ADDRESSES,
        unsound: 'an iterator that is read after its link was closed uses an epoll instance that may be gone',
      },
    ],
  },
];
