import type { CallbackSpec, Helper, HelperProto } from '../contracts/helper.ts';
import type { HostCall } from '../contracts/host_call.ts';
import type { RevisedEntry } from '../contracts/revision.ts';
import { TRACING_TYPES, to } from './availability.ts';
import { helpers } from './index.ts';
import { findVma2026 } from './run/find_vma.ts';
import { pageToPfn } from './run/page.ts';
import { userRingbufDrainVersion3 } from './run/user_ringbuf.ts';
import { INTEGER, object, proto } from './spec.ts';

const named = (name: string): Helper => helpers.find((helper) => helper?.name === name)!;

/** The same helper with other code behind it. */
const running = (helper: Helper, run: (call: HostCall) => void): Helper => ({
  ...helper,
  protos: helper.protos.map((proto): HelperProto => ({ ...proto, run })),
});

/** bpf_user_ringbuf_drain: the third version of August 2022, and what Linux 6.1 got. */
const userRingbufDrain: RevisedEntry = {
  name: 'user_ringbuf_drain',
  base: '6.1',
  revisions: [
    {
      name: 'v3',
      summary: 'takes the ring sample by sample, steps over discarded ones without limit, refuses BPF_RB_FORCE_WAKEUP',
      helpers: [running(named('bpf_user_ringbuf_drain'), userRingbufDrainVersion3)],
    },
    { name: '6.1', summary: 'takes the ring for the whole drain, counts discarded samples, wakes once' },
  ],
};

const withDynptr = (spec: CallbackSpec): CallbackSpec =>
  spec.enter === 'user_ringbuf_drain' ? { ...spec, dynptr: 'PTR_TO_DYNPTR' } : spec;

/** What R1 of the callback of bpf_user_ringbuf_drain is. */
const dynptrCallback: RevisedEntry = {
  name: 'dynptr-callback',
  base: '6.2',
  revisions: [
    {
      name: 'v3',
      summary: 'PTR_TO_DYNPTR, which is also taken where an uninitialised dynptr is wanted',
      callbacks: withDynptr,
      unsound: 'the dynptr of a sample can be initialised again, so that it points to memory that the program does not own',
    },
    { name: '6.2', summary: 'CONST_PTR_TO_DYNPTR, which no helper may change' },
  ],
};

/** How functions that a helper calls back are explored. */
const callbacks: RevisedEntry = {
  name: 'callbacks',
  base: '6.8',
  revisions: [
    {
      name: '6.1',
      summary: 'entered once, as if the helper always called them exactly once',
      callbacks: (spec) => (spec.kind === 'sync' ? { ...spec, explored: 'once' } : spec),
      unsound: 'no call of a callback and a second one are not explored',
    },
    { name: '6.8', summary: 'explored as the bodies of loops' },
  ],
};

/** bpf_find_vma: as merged, and as hardened in 2026. */
const findVmaEntry: RevisedEntry = {
  name: 'find_vma',
  base: '5.17',
  revisions: [
    { name: '5.17', summary: 'takes mmap_lock of any task without a reference to its address space' },
    {
      name: '2026',
      summary: 'for another task: interrupts must be on, alloc_lock free, and the address space is kept by a reference',
      helpers: [running(named('bpf_find_vma'), findVma2026)],
    },
  ],
};

/** A number of the model's own: the one that was proposed, 181, went to bpf_loop. */
const PAGE_TO_PFN_ID = 1181;

const pageToPfnEntry: RevisedEntry = {
  name: 'page_to_pfn',
  base: null,
  revisions: [
    {
      name: 'v1',
      summary: 'frame number of a page, as /proc/PID/pagemap shows it; all ones for NULL',
      helpers: [
        {
          id: PAGE_TO_PFN_ID,
          name: 'bpf_page_to_pfn',
          summary: 'Number of the page frame that a struct page stands for.',
          protos: [proto('bpf_page_to_pfn_proto', [object('page', 'page')], INTEGER, { run: pageToPfn })],
          available: [to(TRACING_TYPES, 'bpf_page_to_pfn_proto')],
        },
      ],
    },
  ],
};

export const HELPER_REVISIONS: readonly RevisedEntry[] = [
  userRingbufDrain,
  dynptrCallback,
  callbacks,
  findVmaEntry,
  pageToPfnEntry,
];
